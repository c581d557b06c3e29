"""Tests of a program: registered in order, run one after the other, a line each."""
import sys, time, traceback


class Tests:
    def __init__(self):
        self.registered, self.names = [], []

    def test(self, name):
        def register(function):
            self.registered.append((name, function))
            return function
        return register

    def main(self, failed=False):
        """Runs those whose name contains one of the arguments, or all; ends the program with the status."""
        wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
        for name, function in self.registered:
            if wanted and not any(word.lower() in name.lower() for word in wanted):
                continue
            began = time.monotonic()
            try:
                said = function()
                print(f"ok {name} ({time.monotonic() - began:.1f} s)")
                if said:
                    print(f"> {name}: {said}")
            except Exception:
                failed = True
                print(f"not ok {name}\n# " + traceback.format_exc().replace("\n", "\n# "))
            sys.stdout.flush()
        sys.exit(failed)

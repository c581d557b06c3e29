/* Invariants that stand in code: what no request, file or fault of a disk can break, only a fault of the program. It
 * then goes no further: a stopped server betrays nobody, and what was acknowledged is durable. Never for what comes
 * from outside: that is an error (say()). */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(holds) ((holds) ? (void)0 : must_failed(#holds, __FILE__, __LINE__))
/* Says where and what on standard error, and aborts. */
_Noreturn void must_failed(const char *holds, const char *file, int line) __attribute__((cold));

#endif

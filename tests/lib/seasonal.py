"""The forecast of src/domain/usage/forecast.h, computed a second time and independently: Holt-Winters by hours of a week, and a band of its own past
errors. As a program it prints the vectors of tests/unit/test_forecast.c."""
import json, math
from garant import moment

WEEK, AHEAD, DAMPING, HOUR = 168, 672, 0.998, 3_600_000


def rounded(value):
    """As C's round(): halves away from zero, where Python takes the even one."""
    return math.floor(value + 0.5)


def modelled(y, growth):
    if growth:
        return [0.0] + [b - a for a, b in zip(y, y[1:])]
    return [None if value is None else math.log1p(value) for value in y]


def origins(z, level_factor, season_factor, trend_factor):
    """(hours seen, level, trend, season) at the end of each week from the third on."""
    known = [value for value in z[:2 * WEEK] if value is not None]
    level, trend, season = sum(known) / len(known), 0.0, []
    for hour in range(WEEK):
        pair = [value for value in (z[hour], z[hour + WEEK]) if value is not None]
        season.append(sum(pair) / len(pair) - level if pair else 0.0)
    found = []
    for t in range(2 * WEEK, len(z)):
        before, hour = level + DAMPING * trend, t % WEEK
        error = 0.0 if z[t] is None else z[t] - (before + season[hour])
        level = before + level_factor * error
        trend = DAMPING * trend + level_factor * trend_factor * error
        season[hour] += season_factor * (1 - level_factor) * error
        if (t + 1) % WEEK == 0:
            found.append((t + 1, level, trend, list(season)))
    return found


def ahead(origin, growth):
    _, level, trend, season = origin
    out, walked, power, total = [], 0.0, 1.0, 0.0
    for k in range(AHEAD):
        power *= DAMPING
        walked += power * trend
        total += level + walked + season[k % WEEK]
        out.append(total if growth else level + walked + season[k % WEEK])
    return out


def errors_of(y, z, found, growth):
    """(hours ahead, absolute error) from the end of each week since the fourth."""
    for origin in found[1:-1]:
        at = origin[0]
        for k, expected in enumerate(ahead(origin, growth)[:len(z) - at]):
            value = y[at + k] - y[at - 1] if growth else z[at + k]
            if value is not None:
                yield k, abs(value - expected)


def forecast(y, growth=False):
    """Lists of value, low and high for the four weeks after `y` (None: nothing was measured)."""
    z = modelled(y, growth)
    best = None
    for level in (0.001, 0.004, 0.015, 0.05):
        for season in (0.1, 0.25, 0.5):
            for trend in (0.0, 0.005):
                found = origins(z, level, season, trend)
                total = sum(error for _, error in errors_of(y, z, found, growth))
                if best is None or total < best[0]:
                    best = total, found
    found = best[1]
    errors = list(errors_of(y, z, found, growth))
    hours = [[error for k, error in errors if k == hour] for hour in range(WEEK)]
    mean = sum(map(sum, hours)) / sum(map(len, hours))
    usual = [((sum(one) + 4 * mean) / (len(one) + 4)) or 1 for one in hours]

    def spread(k):
        return math.sqrt(k + 1) if growth else usual[k % WEEK]
    widths = []
    for week in range(4):
        sizes = sorted(error / spread(k) for k, error in errors if k // WEEK == week)
        seen = len(sizes) // WEEK
        widths.append(widths[-1] if week and seen < 2 else sizes[min(int(0.9 * len(sizes)), len(sizes) - 1)] * (1 + 0.1 / (seen or 1)))

    def measured(value):
        return max(0.0, y[-1] + value if growth else math.expm1(value))
    point = ahead(found[-1], growth)
    return ([measured(value) for value in point],
            [measured(value - widths[k // WEEK] * spread(k)) for k, value in enumerate(point)],
            [measured(value + widths[k // WEEK] * spread(k)) for k, value in enumerate(point)])


class Chance:
    """The pseudo-random numbers of test_forecast.c."""

    def __init__(self, seed):
        self.x = seed

    def uniform(self):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.x >> 11) / 2 ** 53


def plain(weeks, seed):
    """A series of whole numbers: more by day, less at the weekend, growing, with chance."""
    chance = Chance(seed)
    return [float(int((1 + t % 24 * (24 - t % 24)) * (1 if t // 24 % 7 < 5 else 0.25) * (1 + t / 4000) * (0.7 + 0.6 * chance.uniform())))
            for t in range(weeks * WEEK)]


def uses(end, weeks):
    """How often a platform was used in each hour of so many weeks before `end` (in hours since 1970): by day more, at the weekend less, slowly
    growing, with chance. (first hour, counts)"""
    chance, first, counts = Chance(13), end - weeks * WEEK, []
    for hour in range(first, end):
        at = moment(hour * HOUR)
        busy = (1 + at.hour * (24 - at.hour) / 8) * (1 if at.weekday() < 5 else 0.3) * (1 + (hour - first) / 6000)
        spread = sum(chance.uniform() for _ in range(6)) / 6
        counts.append(int(busy * (0.4 + 1.2 * spread)) + (chance.uniform() < 0.5))
    return first, counts


def log_of(path, ident, first, counts):
    """That platform's own log, a line of JSON each time somebody used it."""
    with open(path, "w", encoding="utf-8") as file:
        for number, count in enumerate(counts):
            for one in range(count):
                at = moment((first + number) * HOUR + one * HOUR // (count + 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
                file.write(json.dumps({"time": at, "user": ident, "action": "view", "page": f"/planted/grille-{one % 5}"}) + "\n")
    return path


if __name__ == "__main__":
    for weeks, growth in ((8, False), (16, False), (12, True)):
        y = plain(weeks, 7)
        if growth:
            y = [sum(y[:t + 1]) for t in range(len(y))]
        else:
            y[5 * WEEK + 9] = None
        value, low, high = forecast(y, growth)
        for k in (0, 14, 200, 500, 671):
            print(f"    {{ {weeks}, {k}, {value[k]:.6f}, {low[k]:.6f}, {high[k]:.6f} }},")

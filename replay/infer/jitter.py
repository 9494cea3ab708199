"""The jitter of a wait, where the random number behind it was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.infer.timing import spread

PPM = 1_000_000
SAMPLES_MIN = 4
# A draw is no reason for a wait unless it takes away most of the scatter.
LEFT_OVER_PERCENT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """A wait's ratio in ppm is `slope_ppm` times the draw, plus a rest within its bounds."""

    slope_ppm: int
    usual_ppm: int
    low_ppm: int
    high_ppm: int
    seen: int

    def ratios(self, draw: float) -> tuple[int, int, int]:
        """Give the usual, least and greatest ratio after a draw."""
        part = int(self.slope_ppm * draw)
        return part + self.usual_ppm, part + self.low_ppm, part + self.high_ppm


def learn_jitter(ratios: Sequence[int], draws: Sequence[float | None]) -> Jitter | None:
    """Fit ratios as a line over the draws by least squares; None when draws do not explain them."""
    pairs = [(ratio, draw) for ratio, draw in zip(ratios, draws, strict=True) if draw is not None]
    if len(pairs) < SAMPLES_MIN or len(pairs) < len(ratios):
        return None
    count = len(pairs)
    middle = sum(draw for _, draw in pairs) / count
    around = sum((draw - middle) ** 2 for _, draw in pairs)
    if around <= 0:
        return None
    slope = int(sum(ratio * (draw - middle) for ratio, draw in pairs) / around)
    rests = [ratio - int(slope * draw) for ratio, draw in pairs]
    before = max(ratios) - min(ratios)
    if (max(rests) - min(rests)) * 100 > LEFT_OVER_PERCENT * before:
        return None
    base = min(rests)  # `spread` bounds what is not negative
    found = spread([rest - base for rest in rests], floor_ns=PPM // 100)
    return Jitter(
        slope_ppm=slope,
        usual_ppm=base + found.usual,
        low_ppm=base + min(found.low, found.usual) - PPM // 100,
        high_ppm=base + found.high,
        seen=count,
    )

"""Names of people who do not exist, put together from common parts; all in NFC, in ordinary capitals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

    from mocks.world.people import Sex

FAMILY = (
    "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Trần", "Trần", "Lê", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ",
    "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Mạc", "Quách", "Lò", "Vàng", "Giàng", "Sùng",
    "Nông", "Hà", "Tạ", "Thạch", "Kim", "Ông", "Âu", "Ứng", "Khổng",
)  # fmt: skip
MIDDLE = {
    "male": ("Văn", "Hữu", "Đức", "Quốc", "Minh", "Xuân", "Công", "Đình", "Thế", "Bá", "", "Tiến"),
    "female": ("Thị", "Thị", "Thị Thu", "Thị Kim", "Ngọc", "Thị Bích", "Diệu", "Thúy", "Hồng", "", "Thị Mỹ", "Thị Lệ"),
}
GIVEN = {
    "male": (
        "Hùng", "Dũng", "Cường", "Tuấn", "Sơn", "Hải", "Long", "Thắng", "Nghĩa", "Phúc", "Khôi", "Đạt", "Quỳnh",
        "Trường", "Vượng", "Thưởng", "Khánh", "Lộc", "Bằng", "Ánh", "Định", "Uy", "Ý", "Kiệt",
    ),
    "female": (
        "Hoa", "Lan", "Hương", "Nguyệt", "Thủy", "Phượng", "Yến", "Đào", "Tuyết", "Ngân", "Nhung", "Trang", "Quỳnh",
        "Diễm", "Hằng", "Thảo", "Vân", "Xuyến", "Loan", "Ánh", "Liễu", "Út", "Mừng", "Ngoãn",
    ),
}  # fmt: skip
LONG_MIDDLE = ("Công", "Tằng", "Tôn", "Nữ", "Huyền", "Trường", "Nguyễn", "Phương", "Quỳnh", "Hoàng", "Thượng", "Ngưỡng")
ONE_WORD = ("Khoan", "Điểu", "Bríu", "Ksor", "Đượm", "Thuổi", "Rơ")
PUNCTUATED = {"male": ("Y", "Ê-ban"), "female": ("H'", "Niê-kđăm")}


class Name(NamedTuple):
    """A whole name in its parts; `family` and `middle` may be empty."""

    family: str
    middle: str
    given: str


NAMESAKES = {
    "male": (Name("Trần", "Văn", "Hùng"), Name("Trần", "Văn", "Hưng")),
    "female": (Name("Trần", "Thị", "Mai"), Name("Trần", "Thị", "Mại")),
}
"""Two names that differ in nothing but their diacritics."""


def ordinary(rng: Random, sex: Sex, family: str | None = None) -> Name:
    """Return a common name, of the given family where one is stated."""
    return Name(family or rng.choice(FAMILY), rng.choice(MIDDLE[sex]), rng.choice(GIVEN[sex]))


def one_word(rng: Random) -> Name:
    """Return a name that is one word."""
    return Name("", "", rng.choice(ONE_WORD))


def very_long(rng: Random, sex: Sex, family: str) -> Name:
    """Return a name of ten to twelve words, within the 100 characters that the population contract allows."""
    words = rng.sample(LONG_MIDDLE, rng.randint(8, 10))
    return Name(family, " ".join(words), rng.choice(GIVEN[sex]))


def punctuated(rng: Random, sex: Sex) -> Name:
    """Return a name with an apostrophe or a hyphen, as names in the Central Highlands have."""
    particle, clan = PUNCTUATED[sex]
    given = rng.choice(GIVEN[sex])
    return Name(f"{particle}{given}" if particle.endswith("'") else particle, "" if "'" in particle else given, clan)

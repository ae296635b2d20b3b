"""The labelled questions: for each, the phrases that answer it, which stand in one document each.

Some use the documents' words, some say the same otherwise, some ask for a number or a name. Phrases are compared with
white space made equal. Where there are two answers, the first one counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A place that answers a question, more or less well."""

    document: str
    phrase: str
    gain: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A question and all places that answer it."""

    text: str
    answers: Sequence[Answer]


def _question(text: str, *places: tuple[str, str]) -> Question:
    gains = [1] if len(places) == 1 else [2, *[1] * (len(places) - 1)]
    return Question(text, [Answer(*place, gain=gain) for place, gain in zip(places, gains, strict=True)])


VACATION, HOME, TRAVEL = "vacation-and-leave.md", "working-from-home.md", "travel-expenses.txt"
SECURITY, MANUAL, TROUBLE = "security-policy.md", "tg200-manual.md", "tg200-troubleshooting.html"
CALIBRATION, API, CLIENT = "calibration-procedure.md", "data-api.md", "levels_client.py"
PRICES, RELEASES, INCIDENT = "price-list.csv", "releases.json", "incident-2025-11.md"
SUPPORT, ONBOARDING, TIDES = "support-handbook.md", "onboarding.txt", "tides-explained.md"
CONTRACT = "contract-flood-service.txt"
ROOMS, EQUIPMENT, WORKSHOP = "meeting-rooms-ja.md", "equipment-zh.md", "werkstatt-de.md"

QUESTIONS = (
    _question("How many days of vacation do I get per year?", (VACATION, "28 days of vacation per calendar year")),
    _question("Can I take unused holidays into next year?", (VACATION, "carried into the next year until the end")),
    _question("What do I do when I am sick?", (VACATION, "Call or write to your team lead before ten")),
    _question("paternity leave pay", (VACATION, "sixteen weeks at full pay")),
    _question("time off for a funeral", (VACATION, "three when a member of the close family dies")),
    _question("Can I take a year off?", (VACATION, "you may be away for three to twelve months")),
    _question("remote work days per week", (HOME, "Up to three days a week may be worked from home")),
    _question("May I work from Spain for a month?", (HOME, "Working from abroad is possible for twenty days")),
    _question("Is overtime paid?", (HOME, "taken as free time within the same quarter")),
    _question("compensation for being on call at night", (HOME, "For each week there are 200 euros")),
    _question("Can I bring my puppy to the office?", (HOME, "Dogs are welcome on Tuesdays and Thursdays")),
    _question("maximum price of a hotel", (TRAVEL, "Hotels up to 140 euros a night")),
    _question("mileage allowance for my own car", (TRAVEL, "Private cars are repaid at 38 cents")),
    _question("I lost a receipt, what now?", (TRAVEL, "Lost receipts: write a note with date")),
    _question("deadline for expense reports", (TRAVEL, "Reports are due by the fifth of the following month")),
    _question("My laptop was stolen", (SECURITY, "Ring the security hotline, extension 4411, at once")),
    _question("How long must a password be?", (SECURITY, "passwords of at least sixteen characters")),
    _question(
        "When do we have to notify authorities about a data breach?",
        (SECURITY, "to the authority within 72 hours"),
    ),
    _question("Who approves access to secret material?", (SECURITY, "security officer, Maren Tiedemann")),
    _question("TG-200 torque for the bolts", (MANUAL, "four M8 bolts with 12 newton metres")),
    _question("What does a quickly flashing red lamp mean?", (MANUAL, "fast: the radar sees no echo")),
    _question("How do I set the zero point after moving the gauge?", (MANUAL, "enter the value under Settings, Datum")),
    _question(
        "How long does the device store measurements while offline?",
        (MANUAL, "readings are kept (for 60 days)"),
        (RELEASES, "Storage for 60 days in place of 30"),
    ),
    _question("E23", (TROUBLE, "The cellular module does not answer")),
    _question("error E17 comes back after a few days", (TROUBLE, "the buffer battery (CR2450) is flat")),
    _question(
        "gauge offline after installing new software",
        (TROUBLE, "Version 3.4.0 forgot the name of the access point"),
        (RELEASES, "The access point name survives an update"),
    ),
    _question("values jump when ships pass", (TROUBLE, "Usually waves of passing ships")),
    _question("allowed deviation from the laser in calibration", (CALIBRATION, "may differ from the laser by 2 mm")),
    _question("Where is the certificate CAL-2025-0187 from?", (CALIBRATION, "for instance CAL-2025-0187")),
    _question(
        "How often must radar heads be recalibrated?",
        (CALIBRATION, "Heads in service come back every 36 months"),
        (PRICES, "name: Recalibration of a radar head"),
    ),
    _question("rate limit of the API", (API, "Sixty requests a minute for each key")),
    _question("X-Signature", (API, "signed with HMAC-SHA256 in `X-Signature`"), (CLIENT, "def verify_signature")),
    _question("meaning of quality flag 4", (API, "4 time uncertain"), (TROUBLE, "quality flag 4 until the time")),
    _question("when is v1 of the interface turned off", (API, "switched off on 30 June 2026")),
    _question("function that retries on status 429", (CLIENT, "def _get_with_backoff")),
    _question("highestOfDay", (CLIENT, "def highest_of_day")),
    _question("What does the solar panel cost?", (PRICES, "name: Solar panel 40 W")),
    _question("delivery time of the mast", (PRICES, "name: Mast of galvanised steel 3 metres")),
    _question("Which firmware added ice detection?", (RELEASES, "Ice detection warns")),
    _question("cause of the outage in November", (INCIDENT, "certificate of the upload gateway had run out")),
    _question("Who noticed that uploads had stopped?", (INCIDENT, "rung at 05:58 by a customer")),
    _question("How long is the guarantee on electronics?", (SUPPORT, "Warranty is three years on electronics")),
    _question("price reduction for a university", (SUPPORT, "Universities and public services get ten percent")),
    _question("replacement device while mine is being fixed", (SUPPORT, "offer a loan unit from the shelf")),
    _question("notice period during probation", (ONBOARDING, "in it, notice is two weeks")),
    _question("How much is lunch?", (ONBOARDING, "A meal is 5.50 euros")),
    _question("retirement savings contribution of the employer", (ONBOARDING, "the company adds half of what you pay")),
    _question("Why are there two high tides a day?", (TIDES, "So there are two high waters about every")),
    _question("effect of air pressure on the water level", (TIDES, "one hectopascal less is about one")),
    _question("uptime guarantee and credits", (CONTRACT, "99.5 percent of each month")),
    _question("Who owns the measurement data?", (CONTRACT, "Measured values belong to the authority")),
    _question("cap on damages", (CONTRACT, "liability is limited to 250,000 euros per case")),
    _question("会議室は何時間まで予約できますか", (ROOMS, "予約は一回につき最長三時間までです")),
    _question("プロジェクターが故障したらどこに連絡しますか", (ROOMS, "内線七二〇番の総務部に連絡")),
    _question("会議室で食べてもいいですか", (ROOMS, "食事は禁止です")),
    _question("可以借多长时间", (EQUIPMENT, "借用期限为十四天")),
    _question("设备丢了怎么办", (EQUIPMENT, "丢失的设备按照剩余价值赔偿")),
    _question("仓库几点开放", (EQUIPMENT, "上午九点到下午五点开放")),
    _question("Wann hat die Werkstatt geöffnet?", (WORKSHOP, "von sieben bis neunzehn Uhr geöffnet")),
    _question("Darf ich an der Drehmaschine Handschuhe tragen?", (WORKSHOP, "Handschuhe sind dort verboten")),
    _question("Wohin mit einem stumpfen Bohrer?", (WORKSHOP, "in die rote Kiste zum Schärfen")),
)

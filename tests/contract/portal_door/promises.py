"""What a caller of the portal's mock may rely on: dossiers, steps, look-ups, the ledger, what the world keeps.

Who and what is refused stands in `refusals`, what faults come to in `faults`, the index in `index`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.portal_door.peer import DOOR, Desk, done, kept, new
from tests.support.conformance import Check, alone
from tests.support.portal import dossier, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.portal_door.peer import Asking
    from tests.support.conformance import Peer
    from tests.support.portal import Portal

DRAFT: Final = "G22.1-260701-0001"
"""A dossier that a citizen may hand in on the portal."""
WRITES: Final[dict[str, Callable[[Portal, str], Asking]]] = {
    "create": lambda portal, code: portal.create(dossier(code)),
    "update": lambda portal, code: portal.update(dossier(code)),
    "progress": lambda portal, code: portal.progress(step(code)),
    "verdict": lambda portal, _: portal.verdict(DRAFT),
}
READS: Final[dict[str, Callable[[Portal, str], Asking]]] = {
    "look_up": lambda portal, code: portal.look_up(code),
    "procedure": lambda portal, _: portal.procedure(),
    "procedures": lambda portal, _: portal.procedures(),
    "tech_id": lambda portal, _: portal.tech_id("999000000000"),
}
INSIDE: Final = {**WRITES, **READS}


def created(desk: Desk, **fields: Any) -> str:
    """Create a dossier and return its code."""
    code = new(desk.peer)
    assert desk.did(desk.portal.create(dossier(code, **fields))).outcome == ("created", True)
    return code


def submitted(peer: Peer) -> str:
    """Have a citizen hand a dossier in on the portal, and return its code."""
    if peer.told(f"world/dossier/{DRAFT}")["state"] == "draft":
        peer.do("dossier", DRAFT, "submit")
    return DRAFT


def is_there(desk: Desk, code: str) -> bool:
    """Return what a look-up says: a list with the dossier, or an empty one."""
    said = desk.did(desk.portal.look_up(code))
    assert all(one["MaHoSo"] == code for one in said.lines)
    return bool(said.lines)


def creates_once(peer: Peer) -> None:
    """Promise that a dossier is created once, and that the second create says so as the dialect has it."""
    desk = Desk(peer)
    code = created(desk)
    said = desk.refused(desk.portal.create(dossier(code, TrangThaiHoSo="4")), "dossier_exists")
    assert (code in said.response.text) is peer.dialects(DOOR)["names_dossier"]
    assert (done(peer, "create", code), kept(peer, code)["status"]) == (1, "2")


def updates_safely(peer: Peer) -> None:
    """Promise that the same update twice changes nothing more, and that each is counted."""
    desk = Desk(peer)
    code = created(desk)
    for outcome in ("updated", "same"):
        assert desk.did(desk.portal.update(dossier(code, TrangThaiHoSo="4"))).outcome == (outcome, True)
    assert (done(peer, "update", code), kept(peer, code)["updates"], kept(peer, code)["status"]) == (2, 2, "4")


def updates_what_is_not_there(peer: Peer) -> None:
    """Promise that an update of an unknown dossier is refused or creates it, as the dialect says."""
    desk = Desk(peer)
    code = new(peer)
    if peer.dialects(DOOR)["update_absent"] == "created":
        assert desk.did(desk.portal.update(dossier(code))).outcome == ("created", True)
        assert is_there(desk, code) is True
    else:
        desk.refused(desk.portal.update(dossier(code)), "dossier_unknown")
        assert is_there(desk, code) is False


def repeats_a_step(peer: Peer) -> None:
    """Promise that a step that comes again is applied again, recognised or refused, as the dialect says."""
    desk, way = Desk(peer), peer.dialects(DOOR)["repeated_step"]
    code = created(desk)
    key = f"{code}:20260302090500-4"
    assert desk.did(desk.portal.progress(step(code))).outcome == ("applied", True)
    again = desk.portal.progress(step(code))
    if way == "refused":
        desk.refused(again, "step_repeated")
    else:
        outcomes = {"applied": ("applied_again", True), "recognised": ("recognised", False)}
        assert desk.did(again).outcome == outcomes[way]
    assert done(peer, "progress", key) == peer.told(f"world/progress_step/{key}")["fields"]["times"]
    assert done(peer, "progress", key) == (2 if way == "applied" else 1)


def tells_steps_of_one_moment_apart(peer: Peer) -> None:
    """Promise that two different steps of the same moment and status are two, and neither is a repetition."""
    desk = Desk(peer)
    code = created(desk)
    for text in ("một", "hai"):
        assert desk.did(desk.portal.progress(step(code, NoiDungXuLy=text))).outcome == ("applied", True)
    for key in (f"{code}:20260302090500-4", f"{code}:20260302090500-4.2"):
        assert done(peer, "progress", key) == 1


def counts_every_item(peer: Peer) -> None:
    """Promise one effect for each dossier and each step of one message, under its own key."""
    desk = Desk(peer)
    codes = [new(peer) for _ in range(3)]
    desk.did(desk.portal.create(*map(dossier, codes)))
    assert [done(peer, "create", code) for code in codes] == [1, 1, 1]
    record = desk.did(desk.portal.progress(*(step(codes[0], day) for day in (2, 3)), step(codes[1]))).record
    assert (record["key"], record["lane"]) == (f"{codes[0]}:20260302090500-4", codes[0])
    keys = [f"{codes[0]}:20260302090500-4", f"{codes[0]}:20260303090500-4", f"{codes[1]}:20260302090500-4"]
    assert [done(peer, "progress", key) for key in keys] == [1, 1, 1]


def does_what_the_batch_allows(peer: Peer) -> None:
    """Promise that beside a wrong item nothing, all the others, or those before it are done, as the dialect says."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    good, bad, late = (new(peer) for _ in range(3))
    said = desk.said(desk.portal.create(dossier(good), dossier(bad, MaTTHC=None), dossier(late)))
    there = [is_there(desk, code) for code in (good, bad, late)]
    match dialects["batch"]:
        case "whole":
            assert (said.word, said.outcome, there) == ("wrong_fields", ("wrong_fields", False), [False] * 3)
            assert said.content["message"].endswith("data/1/MaTTHC")
        case "until_error":
            assert (said.word, said.outcome, there) == ("wrong_fields", ("partly", True), [True, False, False])
        case _:
            assert (said.word, said.outcome, there) == ("ok", ("partly", True), [True, False, True])
            assert dialects["success"] == "text" or [
                (one["MaHoSo"], int(one["error_code"]) == 0) for one in said.lines
            ] == [(good, True), (bad, False), (late, True)]
    assert [done(peer, "create", code) for code in (good, bad, late)] == [int(one) for one in there]


def keeps_what_came(peer: Peer) -> None:
    """Promise that a dossier keeps all fields as received, where it came from, and how often it came."""
    desk = Desk(peer)
    code = new(peer)
    sent = dossier(code, GhiChu="ghi chú", NgayNopHoSo="", DinhDanhCHS=[{"LoaiDinhDanh": "1", "SoDinhDanh": "999"}])
    desk.did(desk.portal.create(sent))
    desk.did(desk.portal.progress(step(code, 3), step(code, 4, TrangThai="9")))
    found = kept(peer, code)
    assert found["content"] == sent
    assert (found["agency"], found["account"], found["origin"]) == ("000.00.00.H99", "dvc_h99", "unit")
    assert (found["creates"], found.get("updates", 0), found["steps"]) == (1, 0, 2)
    assert found["history"][1:] == [["20260303090500", "4", "progress"], ["20260304090500", "9", "progress"]]
    assert found["status"] == ("9" if peer.dialects(DOOR)["progress_moves_status"] else "2")


def names_strange_fields(peer: Peer) -> None:
    """Promise that fields of no list are kept and named by path, or refused, as the dialect says."""
    desk = Desk(peer)
    code = new(peer)
    papers = [{"TenTepDinhKem": "a.pdf", "Mau": "x"}]
    asking = desk.portal.create(dossier(code, TruongMoi="x", TaiLieuNop=papers))
    if peer.dialects(DOOR)["unknown_fields"] == "refused":
        text = desk.refused(asking, "unknown_fields").response.text
        assert "TruongMoi" in text
        assert "TaiLieuNop/0/Mau" in text
    else:
        desk.did(asking)
        assert kept(peer, code)["strange"] == ["TruongMoi", "TaiLieuNop/0/Mau"]


def looks_at_addresses_of_files(peer: Peer) -> None:
    """Promise that files at private addresses are lost, refused or kept, and that public ones are always kept."""
    desk, way = Desk(peer), peer.dialects(DOOR)["private_files"]
    assert kept(peer, created(desk))["lost_files"] == []
    addresses = (
        "http://10.1.2.3/a",
        "http://192.168.0.1/a",
        "http://motcua/a",
        "ftp://a.example/a",
        "https://a.example/a",
    )
    papers = [{"TenTepDinhKem": "a.pdf", "DuongDanTaiTepTin": address} for address in addresses]
    code = new(peer)
    asking = desk.portal.create(dossier(code, TaiLieuNop=papers))
    if way == "refused":
        desk.refused(asking, "files_unreachable")
    else:
        desk.did(asking)
        lost = [f"TaiLieuNop/{place}" for place in range(4)]
        assert kept(peer, code)["lost_files"] == (lost if way == "lost" else [])


def looks_up(peer: Peer) -> None:
    """Promise that a look-up tells the dossier, its steps too, or its code alone, as the dialect says."""
    desk, shows = Desk(peer), peer.dialects(DOOR)["look_up_shows"]
    code = created(desk)
    sent = step(code)
    desk.did(desk.portal.progress(sent))
    said = desk.did(desk.portal.look_up(code))
    assert said.outcome == ("found", True)
    (line,) = said.lines
    if shows == "code":
        assert line == {"MaHoSo": code}
    else:
        assert (line["MaTTHC"], line["DonViXuLy"]) == ("9.999001", "UBND xã Mẫu")
        assert line.get("DanhSachTienTrinh") == ([sent] if shows == "progress" else None)
    assert desk.did(desk.portal.look_up(new(peer))).outcome == ("not_there", True)


def tells_its_catalogue(peer: Peer) -> None:
    """Promise that the catalogue's procedures are told, an unknown one is empty, and so is who has no account."""
    desk = Desk(peer)
    assert [one["MATTHC"] for one in desk.did(desk.portal.procedures()).lines] == ["9.999001", "9.999002"]
    (one,) = desk.did(desk.portal.procedure()).lines
    assert one["LINHVUCTHUCHIEN"] == [{"MALINHVUC": "G99-XX01", "TENLINHVUC": "Lĩnh vực mẫu"}]
    assert desk.did(desk.portal.procedure("9.999999")).lines == []
    both = next(person for person in peer.people if person["identity_number"] and person["old_card_number"])
    for known in (both["identity_number"], both["old_card_number"]):
        said = desk.did(desk.portal.tech_id(known))
        assert said.lines == [{"TECHNICALID": both["account"]}]
        assert known not in str(said.record)
    card = next(person["old_card_number"] for person in peer.people if "old_card_only" in person["oddities"])
    for nobody in ("999000000000", card):
        assert desk.did(desk.portal.tech_id(nobody)).lines == []


def notes_a_verdict(peer: Peer) -> None:
    """Promise that a verdict moves a dossier that the portal made, keeps the unit's code, and is counted each time."""
    desk = Desk(peer)
    code = submitted(peer)
    before = kept(peer, code).get("verdicts", 0)
    for status in ("2", "5"):
        assert desk.did(desk.portal.verdict(code, "H99-7", TrangThai=status)).outcome == ("noted", True)
    found = kept(peer, code)
    assert (found["verdicts"], found["other_code"], found["status"]) == (before + 2, "H99-7", "5")
    assert is_there(desk, code) is True
    desk.refused(desk.portal.verdict("G22.1-260701-0003"), "dossier_unknown")
    assert is_there(desk, "G22.1-260701-0003") is False


def people_move_it(peer: Peer) -> None:
    """Promise that an officer's return, a supplement and a withdrawal move the status and stand in the history."""
    desk = Desk(peer)
    code = created(desk)
    for verb, status in (("return", "5"), ("supplement", "1"), ("withdraw", "7")):
        peer.do("dossier", code, verb)
        found = kept(peer, code)
        assert (found["status"], found["history"][-1][1:]) == (status, [status, verb])


def follows_its_graph(peer: Peer) -> None:
    """Promise that any status may follow any, or those of the graph alone, as the dialect says; known jumps always."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = created(desk)
    desk.did(desk.portal.update(dossier(code, TrangThaiHoSo="5")))
    desk.did(desk.portal.update(dossier(code, TrangThaiHoSo="9")))
    back = desk.portal.update(dossier(code, TrangThaiHoSo="4"))
    if dialects["status_graph"] == "graph":
        desk.refused(back, "status_not_allowed")
    else:
        desk.did(back)
    unlabelled = desk.portal.update(dossier(code, TrangThaiHoSo="11"))
    if dialects["status_11"] == "refused":
        desk.refused(unlabelled, "status_not_allowed")
    else:
        desk.did(unlabelled)


def keeps_the_order_of_steps(peer: Peer) -> None:
    """Promise that a step of before the last one is taken or refused, as the dialect says."""
    desk = Desk(peer)
    code = created(desk)
    desk.did(desk.portal.progress(step(code, 5)))
    early = desk.portal.progress(step(code, 3))
    if peer.dialects(DOOR)["step_order"] == "rising":
        desk.refused(early, "out_of_order")
    else:
        desk.did(early)


def takes_steps_alone(peer: Peer) -> None:
    """Promise that a step without its dossier is refused or kept, and how many fit into one request."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = new(peer)
    alone_ = desk.portal.progress(step(code))
    if dialects["step_without_dossier"] == "refused":
        desk.refused(alone_, "dossier_unknown")
    else:
        assert desk.did(alone_).outcome == ("applied", True)
    code = created(desk)
    many = desk.portal.progress(*(step(code, day) for day in range(2, 14)))
    if dialects["most_steps"] is None:
        desk.did(many)
    else:
        desk.refused(many, "too_many_steps")


def is_reached_everywhere(peer: Peer) -> None:
    """Promise that the portal answers bare and behind both adapters, at the root and below its own path."""
    desk, way = Desk(peer), peer.dialects(DOOR)["dstcode"]
    root, right = peer.mocks.ready[DOOR].removesuffix("/portal"), "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    for url in (root, f"{root}/portal"):
        for place in ("", "/XrdAdapter/RestService/forward", "/VXPAdapter/RestService/forward"):
            desk.portal.url, desk.portal.place = url, f"{place}/mapi"
            desk.portal.headers = {"dstcode": right}
            assert is_there(desk, new(peer)) is False
            desk.portal.headers = {}
            body = {"username": "dvc_h98", "password": "bi-mat-mau-3"}
            assert desk.did(desk.portal.post("login", body, f"?dstcode={right}")).outcome == ("logged_in", True)
            lacking = desk.raw(desk.portal.procedures())
            astray = way == "always" or (way == "behind_adapter" and bool(place))
            assert (lacking.status_code == 500, peer.last()["outcome"] == "destination_unknown") == (astray, astray)
            desk.portal.headers = {"dstcode": "VN:GOV:000.00.00.G22:khac"}
            wrong = desk.raw(desk.portal.procedures())
            assert wrong.headers["x-road-error"] == wrong.json()["type"] == "Server.ClientProxy.UnknownMember"


def publishes_its_services(peer: Peer) -> None:
    """Promise that anybody may read where the portal is and what it serves, and that this is no exchange."""
    before = len(peer.sent)
    shown = peer.run(peer.desk.get(peer.mocks.ready[DOOR])).json()
    del peer.sent[before:]
    assert "/XrdAdapter/RestService/forward/mapi/g" in shown["addresses"]
    assert {"DongBoHoSoMC", "CapNhatTienDoHoSoMC", "TraCuuHoSo"} <= {*shown["services"]}
    assert peer.told("exchanges?limit=0")["total"] == before


ASKING: Final[tuple[Check, ...]] = (
    *alone(creates_once, updates_safely, updates_what_is_not_there, repeats_a_step, tells_steps_of_one_moment_apart),
    *alone(counts_every_item, does_what_the_batch_allows, keeps_what_came, names_strange_fields),
    *alone(looks_at_addresses_of_files, looks_up, tells_its_catalogue, notes_a_verdict, people_move_it),
    *alone(follows_its_graph, keeps_the_order_of_steps, takes_steps_alone, is_reached_everywhere),
    *alone(publishes_its_services),
)

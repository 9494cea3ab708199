"""A Catch of Step Functions that leads to undoing is a compensation, and no more than its names."""

from collections.abc import Mapping

from store.conclusions import Step, Verdict
from store.model import AttributeValue, SpanLink
from tests.analyzer.builder import Recording, check_of, verdict_of

STATES = {"retrospan.flow.name": "Trip", "retrospan.flow.output": None}


class Machine(Recording):
    """An execution: task states, each with one call."""

    def state(
        self,
        name: str,
        start: float,
        *,
        error: str | None = None,
        caught_from: str | None = None,
        parent: str | None = None,
        sort: str = "Task",
    ) -> str:
        attributes: dict[str, AttributeValue] = {
            "aws.step_functions.state": sort,
            "retrospan.source": "step_functions_history",
        }
        links = []
        if sort == "Task":
            attributes["retrospan.step.key"] = name
        if caught_from is not None:
            attributes |= {"retrospan.catch.from": "x", "retrospan.catch.error": "Full"}
            links = [SpanLink(trace_id=self.trace, span_id=caught_from,
                              attributes={"retrospan.link": "caught"})]  # fmt: skip
        made = self.add(name, start, start + 9, parent=parent or self.root_id,
                        attributes=attributes, links=links)  # fmt: skip
        if sort == "Task":
            called: dict[str, AttributeValue] = {"service.peer.name": "agency"}
            if error is not None:
                called["error.type"] = error
            self.add(
                name, start + 1, start + 8, parent=made.span_id, kind="client",
                status="error" if error else "ok", attributes=called,
            )  # fmt: skip
        return made.span_id

    def roles(self) -> dict[str, tuple[str | None, int | None, str | None]]:
        steps = self.flow().steps
        names = {step.step_id: step.name for step in steps}
        return {step.name: _told(step, names) for step in steps}


def _told(step: Step, names: Mapping[str, str]) -> tuple[str | None, int | None, str | None]:
    return step.role, step.role_grade, names.get(step.compensates or "")


def trip(*, caught: bool = True) -> Machine:
    """Two bookings, a third that fails, and the way back."""
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    machine.state("BookFlight", 20)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("CancelFlight", 50, caught_from=failed if caught else None)
    machine.state("CancelHotel", 60)
    return machine


def test_states_a_catch_leads_to_undo_what_they_are_named_after() -> None:
    assert trip().roles() == {
        "BookHotel": ("compensatable", 4, None),
        "BookFlight": ("compensatable", 4, None),
        "BookRental": (None, None, None),
        "CancelFlight": ("compensation", 4, "BookFlight"),
        "CancelHotel": ("compensation", 4, "BookHotel"),
    }
    assert trip().flow().outcome == "compensated"


def test_without_a_catch_the_same_names_are_words_alone() -> None:
    grades = {grade for _, grade, _ in trip(caught=False).roles().values()}
    assert grades <= {None, 5}


def test_what_failed_is_not_undone_by_its_name() -> None:
    """The cancellation of the booking that failed has no completed step to undo."""
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("CancelRental", 50, caught_from=failed)
    machine.state("CancelHotel", 60)
    assert machine.roles()["CancelRental"] == (None, None, None)
    assert machine.roles()["CancelHotel"] == ("compensation", 4, "BookHotel")


def test_a_catch_that_leads_to_other_work_undoes_nothing() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("NotifyCustomer", 50, caught_from=failed)
    assert {role for role, _, _ in machine.roles().values()} == {None}


def test_the_route_s_own_link_is_no_link_of_a_compensation() -> None:
    """The caught link names the state that failed, not what is undone."""
    machine = Machine(root_attributes=STATES)
    failed = machine.state("BookHotel", 10, error="Full")
    machine.state("ReleaseSeats", 30, caught_from=failed)
    assert machine.roles()["ReleaseSeats"] == (None, None, None)


def test_what_stands_beside_the_route_in_a_parallel_state_is_not_on_it() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 5)
    both = machine.add("Both", 20, 90, attributes={"aws.step_functions.state": "Parallel"}).span_id
    failed = machine.state("BookRental", 30, error="Full", parent=both)
    machine.state("Notify", 50, caught_from=failed, parent=both)
    machine.state("CancelHotel", 60, parent=both)
    assert machine.roles()["CancelHotel"][1] in (None, 5)


def test_spaces_in_the_names_of_states_do_not_matter() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("Reserve Stock", 10)
    failed = machine.state("Pay", 30, error="Full")
    machine.state("Undo Reserve Stock", 50, caught_from=failed)
    assert machine.roles()["Undo Reserve Stock"] == ("compensation", 4, "Reserve Stock")


def test_an_effect_the_route_forgot_is_told_by_its_grade() -> None:
    """Words alone stay a suspicion; those of an engine's route may accuse."""

    def forgetful(*, caught: bool) -> Verdict:
        machine = Machine(root_attributes=STATES)
        machine.state("BookHotel", 10)
        machine.state("BookHotel", 20)
        failed = machine.state("BookRental", 30, error="Full")
        machine.state("CancelHotel", 50, caught_from=failed if caught else None)
        return check_of(machine, "S1").verdict

    assert forgetful(caught=True) is Verdict.VIOLATION
    assert forgetful(caught=False) is not Verdict.PASS


def verdicts(machine: Machine) -> dict[str, Verdict]:
    return {result.check: result.verdict for result in verdict_of(machine).checks}


def test_a_trip_undone_on_its_route_passes_what_names_can_tell() -> None:
    said = verdicts(trip())
    assert {said[check] for check in ("S2", "S3", "S4", "S5", "S7", "S14")} == {Verdict.PASS}


def test_a_route_that_undoes_in_the_wrong_order_is_a_violation() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    machine.state("BookFlight", 20)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("CancelHotel", 50, caught_from=failed)
    machine.state("CancelFlight", 60)
    assert verdicts(machine)["S3"] is Verdict.VIOLATION


def test_a_state_that_books_again_on_the_way_back_is_a_violation() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("CancelHotel", 50, caught_from=failed)
    machine.state("BookHotel", 60)
    machine.state("CancelHotel", 70)
    said = verdicts(machine)
    assert (said["S5"], said["S1"]) == (Verdict.VIOLATION, Verdict.PASS)


def test_a_cancellation_that_failed_on_the_route_is_a_violation() -> None:
    machine = Machine(root_attributes=STATES)
    machine.state("BookHotel", 10)
    failed = machine.state("BookRental", 30, error="Full")
    machine.state("CancelHotel", 50, caught_from=failed, error="NotThere")
    assert verdicts(machine)["S7"] is Verdict.VIOLATION

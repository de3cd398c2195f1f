package countersign_test.rules.signature_test

import data.countersign.rules.identity.signature_invalid
import data.countersign.rules.identity.signature_replayed
import data.countersign.rules.identity.signature_required
import data.countersign_test.fixtures

test_an_invalid_signature_denies if {
	signature_invalid.verdict == {"effect": "deny", "status": 403, "signature": "signature_expired"} with input as _invalid
		with data.countersign.limits as fixtures.limits
}

test_it_denies_on_an_unknown_route_too if {
	verdict := signature_invalid.verdict with input as object.union(_invalid, {"route": {"status": "unknown"}})
		with data.countersign.limits as fixtures.limits
	verdict.effect == "deny"
}

test_a_public_route_minds_it_where_the_limits_say_so if {
	signature_invalid.verdict == "clear" with input as _public(_invalid) with data.countersign.limits as fixtures.limits
	signature_replayed.verdict == "clear" with input as _public(_replayed) with data.countersign.limits as fixtures.limits
	every verdict in _refused_on_public {
		verdict.effect == "deny"
	}
}

_refused_on_public contains verdict if {
	verdict := signature_invalid.verdict with input as _public(_invalid) with data.countersign.limits as _on_public(true)
}

_refused_on_public contains verdict if {
	verdict := signature_replayed.verdict with input as _public(_replayed) with data.countersign.limits as _on_public(true)
}

test_both_refuse_on_public if count(_refused_on_public) == 2

test_a_replay_has_a_rule_of_its_own if {
	signature_replayed.verdict == {"effect": "deny", "status": 403, "signature": "signature_replayed"} with input as _replayed
		with data.countersign.limits as fixtures.limits
	signature_invalid.verdict == "clear" with input as _replayed with data.countersign.limits as fixtures.limits
	signature_replayed.verdict == "clear" with input as _invalid with data.countersign.limits as fixtures.limits
}

test_both_are_clear_otherwise if {
	every status in ["present", "absent", "unavailable"] {
		signature_invalid.verdict == "clear" with input as _status(status) with data.countersign.limits as fixtures.limits
		signature_replayed.verdict == "clear" with input as _status(status) with data.countersign.limits as fixtures.limits
	}
}

test_both_have_no_verdict_on_what_is_broken if {
	not signature_invalid.verdict with input as _status("invald") with data.countersign.limits as fixtures.limits
	not signature_replayed.verdict with input as _status("invald") with data.countersign.limits as fixtures.limits
	not signature_invalid.verdict with input as _without with data.countersign.limits as fixtures.limits
	not signature_replayed.verdict with input as _without with data.countersign.limits as fixtures.limits
	not signature_invalid.verdict with input as _public(_invalid) with data.countersign.limits as _on_public("no")
	not signature_replayed.verdict with input as _public(_replayed) with data.countersign.limits as _on_public("no")
}

test_required_asks_for_nothing_where_the_tier_does_not if {
	every status in ["present", "absent", "invalid", "unavailable"] {
		signature_required.verdict == "clear" with input as _status(status) with data.countersign.limits as fixtures.limits
	}
}

test_required_denies_who_has_none if {
	signature_required.verdict == {"effect": "deny", "status": 403, "signature": "signature_missing"} with input as _status("absent")
		with data.countersign.limits as _signed(true)
}

test_required_is_503_where_it_could_not_be_judged if {
	verdict := signature_required.verdict with input as _status("unavailable") with data.countersign.limits as _signed(true)
	verdict == {"effect": "deny", "status": 503, "retry_after_seconds": 5, "signature": "signature_missing"}
}

test_required_is_clear_where_it_is_there_or_was_refused if {
	every status in ["present", "invalid"] {
		signature_required.verdict == "clear" with input as _status(status) with data.countersign.limits as _signed(true)
	}
}

test_required_is_clear_where_nothing_is_protected if {
	signature_required.verdict == "clear" with input as fixtures.public_route with data.countersign.limits as _signed(true)
	signature_required.verdict == "clear" with input as fixtures.unknown_route with data.countersign.limits as _signed(true)
}

test_required_has_no_verdict_on_what_is_broken if {
	not signature_required.verdict with input as _status("absnt") with data.countersign.limits as _signed(true)
	not signature_required.verdict with input as _status("absnt") with data.countersign.limits as fixtures.limits
	not signature_required.verdict with input as _without with data.countersign.limits as fixtures.limits
	not signature_required.verdict with input as fixtures.with_route({"tier": "hgh"}) with data.countersign.limits as fixtures.limits
	not signature_required.verdict with input as fixtures.good with data.countersign.limits as _signed("yes")
}

_status("present") := fixtures.with_signal("signature", fixtures.present({}))

_status(status) := fixtures.with_signal("signature", fixtures.missing(status, "signature_missing")) if status != "present"

_invalid := fixtures.with_signal("signature", fixtures.missing("invalid", "signature_expired"))

_replayed := fixtures.with_signal("signature", fixtures.missing("invalid", "signature_replayed"))

_without := fixtures.without("signals/signature")

_public(request) := object.union(request, {"route": {"public": true, "tier": "low"}})

_on_public(value) := object.union(fixtures.limits, {"signatures": {"refuse_on_public": value}})

_signed(value) := object.union(fixtures.limits, {"tiers": {"medium": {"signed": value}}})

package countersign_test.rules.identity_test

import data.countersign.rules.identity.assurance_too_low
import data.countersign.rules.identity.certificate_expired
import data.countersign.rules.identity.client_conflict
import data.countersign.rules.identity.token_invalid
import data.countersign.rules.identity.token_required
import data.countersign_test.fixtures

test_token_required_denies_on_a_protected_route if token_required.verdict == {"effect": "deny", "status": 401} with input as fixtures.without_token

test_token_required_denies_on_an_unknown_route if {
	token_required.verdict == {"effect": "deny", "status": 401} with input as object.union(fixtures.without_token, {"route": {"status": "unknown"}})
}

test_token_required_is_clear_where_nothing_is_protected if {
	token_required.verdict == "clear" with input as object.union(fixtures.without_token, {"route": {"public": true}})
	token_required.verdict == "clear" with input as object.union(fixtures.without_token, {"route": {"status": "ambiguous"}})
	token_required.verdict == "clear" with input as object.union(fixtures.without_token, {"route": {"status": "none"}})
}

test_token_required_leaves_other_states_to_other_rules if {
	token_required.verdict == "clear" with input as fixtures.good
	token_required.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing("invalid", "token_expired"))
	token_required.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))
}

test_token_required_has_no_verdict_without_a_signal if not token_required.verdict with input as fixtures.without("signals/token")

test_token_invalid_denies_and_says_why if {
	token_invalid.verdict == {"effect": "deny", "status": 401, "token": "token_expired"} with input as _invalid
}

test_token_invalid_is_clear_on_a_public_route if {
	token_invalid.verdict == "clear" with input as object.union(_invalid, {"route": {"public": true}})
}

test_token_invalid_is_clear_otherwise if {
	token_invalid.verdict == "clear" with input as fixtures.good
	token_invalid.verdict == "clear" with input as fixtures.without_token
	token_invalid.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))
}

test_token_invalid_has_no_verdict_on_another_word if {
	not token_invalid.verdict with input as fixtures.with_signal("token", {"status": "presnt", "value": {}})
}

test_certificate_expired_denies_at_its_end if {
	certificate_expired.verdict == {"effect": "deny", "status": 401} with input as _certificate(1000)
	certificate_expired.verdict == {"effect": "deny", "status": 401} with input as _certificate(999)
}

test_certificate_expired_is_clear_before_it if certificate_expired.verdict == "clear" with input as _certificate(1001)

test_certificate_expired_is_clear_where_no_end_is_known if certificate_expired.verdict == "clear" with input as _certificate(null)

test_certificate_expired_is_clear_without_one if certificate_expired.verdict == "clear" with input as fixtures.good

test_certificate_expired_is_clear_on_a_public_route if {
	certificate_expired.verdict == "clear" with input as object.union(_certificate(999), {"route": {"public": true}})
}

test_certificate_expired_has_no_verdict_when_the_end_is_text if {
	not certificate_expired.verdict with input as _certificate("2030-01-01")
}

test_client_conflict_denies if {
	client_conflict.verdict == "deny" with input as object.union(fixtures.good, {"evidence": {"agreement": {"client": "conflict"}}})
}

test_client_conflict_is_clear_otherwise if {
	client_conflict.verdict == "clear" with input as fixtures.good
	client_conflict.verdict == "clear" with input as object.union(
		fixtures.public_route,
		{"evidence": {"agreement": {"client": "conflict"}}},
	)
}

test_client_conflict_has_no_verdict_on_another_word if {
	not client_conflict.verdict with input as object.union(fixtures.good, {"evidence": {"agreement": {"client": "conflct"}}})
}

test_assurance_says_what_is_required_where_it_is_met if {
	assurance_too_low.verdict == {"effect": "clear", "required": 2} with input as fixtures.good
		with data.countersign.limits as fixtures.limits
}

test_assurance_steps_up_to_a_certificate if {
	assurance_too_low.verdict == {"effect": "step_up", "required": 3, "kind": "binding", "methods": ["mtls"]} with input as _tier("high", 2)
		with data.countersign.limits as fixtures.limits
}

test_assurance_asks_for_a_token_first if {
	assurance_too_low.verdict == {
		"effect": "step_up",
		"required": 3,
		"kind": "authentication",
		"methods": ["token"],
	} with input as _tier("high", 0)
		with data.countersign.limits as fixtures.limits
}

test_assurance_steps_up_to_a_proven_binding if {
	assurance_too_low.verdict == {
		"effect": "step_up",
		"required": 4,
		"kind": "binding",
		"methods": ["dpop", "mtls"],
	} with input as _tier("critical", 3)
		with data.countersign.limits as fixtures.limits
}

test_assurance_is_clear_where_nothing_is_protected if {
	assurance_too_low.verdict == "clear" with input as fixtures.public_route
	assurance_too_low.verdict == "clear" with input as fixtures.unknown_route
}

test_assurance_has_no_verdict_when_the_level_is_text if {
	not assurance_too_low.verdict with input as _tier("high", "3") with data.countersign.limits as fixtures.limits
}

test_assurance_has_no_verdict_on_an_unknown_tier if {
	not assurance_too_low.verdict with input as _tier("hgh", 3) with data.countersign.limits as fixtures.limits
}

_invalid := fixtures.with_signal("token", fixtures.missing("invalid", "token_expired"))

_certificate(not_after) := fixtures.with_signal("certificate", fixtures.present({"not_after": not_after}))

_tier(tier, assurance) := object.union(fixtures.with_route({"tier": tier}), {"evidence": {"assurance": assurance}})

package countersign_test.rules.identity_test

import data.countersign.rules.identity.assurance_too_low
import data.countersign.rules.identity.certificate_expired
import data.countersign.rules.identity.certificate_invalid
import data.countersign.rules.identity.certificate_not_yet_valid
import data.countersign.rules.identity.certificate_revoked
import data.countersign.rules.identity.certificate_unavailable
import data.countersign.rules.identity.certificate_untrusted
import data.countersign.rules.identity.client_conflict
import data.countersign.rules.identity.token_invalid
import data.countersign.rules.identity.token_required
import data.countersign.rules.identity.token_unavailable
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

test_certificate_not_yet_valid if {
	certificate_not_yet_valid.verdict == {"effect": "deny", "status": 401} with input as _certificate_from(1001)
	certificate_not_yet_valid.verdict == "clear" with input as _certificate_from(1000)
	certificate_not_yet_valid.verdict == "clear" with input as _certificate_from(null)
	certificate_not_yet_valid.verdict == "clear" with input as fixtures.good
	certificate_not_yet_valid.verdict == "clear" with input as object.union(_certificate_from(1001), {"route": {"public": true}})
	not certificate_not_yet_valid.verdict with input as _certificate_from("soon")
}

test_each_code_of_a_refused_certificate_has_one_rule_that_denies if {
	every code, rule in _refusals {
		verdicts := _verdicts with input as fixtures.with_signal("certificate", fixtures.missing("invalid", code))
		verdicts[rule] == {"effect": "deny", "status": 401, "certificate": code}
		every _, verdict in object.remove(verdicts, [rule]) {
			verdict == "clear"
		}
	}
}

test_a_refused_certificate_is_not_looked_at_on_a_public_route if {
	every code, _ in _refusals {
		refused := object.union(
			fixtures.with_signal("certificate", fixtures.missing("invalid", code)),
			{"route": {"public": true}},
		)
		verdicts := _verdicts with input as refused
		every _, verdict in verdicts {
			verdict == "clear"
		}
	}
}

test_a_certificate_that_could_not_be_judged_is_retried if {
	unavailable := fixtures.with_signal("certificate", fixtures.missing("unavailable", "revocation_unavailable"))
	certificate_unavailable.verdict == {
		"effect": "deny", "status": 503, "retry_after_seconds": 5, "certificate": "revocation_unavailable",
	} with input as unavailable with data.countersign.limits as fixtures.limits
	verdicts := _verdicts with input as unavailable
	every _, verdict in verdicts {
		verdict == "clear"
	}
}

test_rules_of_certificates_have_no_verdict_on_another_status if {
	broken := fixtures.with_signal("certificate", fixtures.missing("invlid", "certificate_revoked"))
	not certificate_invalid.verdict with input as broken
	not certificate_untrusted.verdict with input as broken
	not certificate_revoked.verdict with input as broken
	not certificate_unavailable.verdict with input as broken
}

test_certificate_unavailable_is_clear_otherwise if {
	certificate_unavailable.verdict == "clear" with input as fixtures.good
	certificate_unavailable.verdict == "clear" with input as fixtures.public_route
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

_certificate_from(not_before) := fixtures.with_signal("certificate", fixtures.present({"not_before": not_before}))

_refusals := {
	"certificate_malformed": "invalid",
	"certificate_hash_mismatch": "invalid",
	"certificate_conflict": "invalid",
	"certificate_svid_invalid": "invalid",
	"a_code_of_tomorrow": "invalid",
	"certificate_untrusted": "untrusted",
	"certificate_trust_domain": "untrusted",
	"certificate_purpose": "untrusted",
	"certificate_chain_expired": "untrusted",
	"certificate_unverifiable": "untrusted",
	"certificate_revoked": "revoked",
	"certificate_denied": "revoked",
}

_verdicts := {
	"invalid": certificate_invalid.verdict,
	"untrusted": certificate_untrusted.verdict,
	"revoked": certificate_revoked.verdict,
}

_tier(tier, assurance) := object.union(fixtures.with_route({"tier": tier}), {"evidence": {"assurance": assurance}})

_away := fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))

_low(status) := {"route": object.union({"status": "matched", "public": false, "tier": "low"}, status)}

test_token_unavailable_is_retried_where_the_tier_asks_for_none if {
	token_unavailable.verdict == {
		"effect": "deny", "status": 503, "retry_after_seconds": 5, "token": "keys_unavailable",
	} with input as object.union(_away, _low({})) with data.countersign.limits as fixtures.limits
}

test_token_unavailable_leaves_tiers_that_ask_for_one_to_signals_required if {
	token_unavailable.verdict == "clear" with input as object.union(_away, _low({"tier": "high"})) with data.countersign.limits as fixtures.limits
}

test_token_unavailable_is_clear_otherwise if {
	token_unavailable.verdict == "clear" with input as object.union(_away, _low({"public": true})) with data.countersign.limits as fixtures.limits
	token_unavailable.verdict == "clear" with input as object.union(_away, _low({"status": "unknown"})) with data.countersign.limits as fixtures.limits
	every status in ["absent", "invalid"] {
		token_unavailable.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing(status, "none")) with data.countersign.limits as fixtures.limits
	}
	token_unavailable.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits
}

test_token_unavailable_has_no_verdict_without_a_signal if {
	not token_unavailable.verdict with input as fixtures.without("signals/token") with data.countersign.limits as fixtures.limits
}

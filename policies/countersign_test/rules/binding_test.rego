package countersign_test.rules.binding_test

import data.countersign.rules.identity.assurance_too_low
import data.countersign.rules.identity.token_binding_mismatch
import data.countersign.rules.identity.token_unbound
import data.countersign_test.fixtures

test_mismatch_denies if token_binding_mismatch.verdict == {"effect": "deny", "status": 401} with input as _mismatched

test_mismatch_denies_on_an_unknown_route if {
	verdict := token_binding_mismatch.verdict with input as object.union(_mismatched, {"route": {"status": "unknown"}})
	verdict.effect == "deny"
}

test_mismatch_does_not_mind_on_a_public_route if {
	token_binding_mismatch.verdict == "clear" with input as object.union(_mismatched, {"route": {"public": true}})
}

test_mismatch_is_clear_otherwise if {
	every state in ["none", "matched", "unchecked"] {
		token_binding_mismatch.verdict == "clear" with input as _state(state)
	}
}

test_mismatch_has_no_verdict_on_another_word if {
	not token_binding_mismatch.verdict with input as _state("mismatchd")
	not token_binding_mismatch.verdict with input as fixtures.without("evidence/binding")
}

test_unbound_asks_for_nothing_where_the_tier_does_not if {
	every state in ["none", "matched", "mismatched", "unchecked"] {
		token_unbound.verdict == "clear" with input as _state(state) with data.countersign.limits as fixtures.limits
	}
}

test_unbound_steps_up_where_the_tier_says_bound if {
	every state in ["none", "unchecked"] {
		token_unbound.verdict == {"effect": "step_up", "kind": "binding", "methods": ["dpop", "mtls"]} with input as _state(state)
			with data.countersign.limits as _bound(true)
	}
}

test_unbound_is_clear_where_the_binding_was_proven_or_refused if {
	every state in ["matched", "mismatched"] {
		token_unbound.verdict == "clear" with input as _state(state) with data.countersign.limits as _bound(true)
	}
}

test_unbound_is_clear_where_nothing_is_protected if {
	token_unbound.verdict == "clear" with input as fixtures.public_route with data.countersign.limits as _bound(true)
	token_unbound.verdict == "clear" with input as fixtures.unknown_route with data.countersign.limits as _bound(true)
}

test_unbound_has_no_verdict_on_what_is_broken if {
	not token_unbound.verdict with input as _state("matchd") with data.countersign.limits as fixtures.limits
	not token_unbound.verdict with input as fixtures.without("evidence/binding") with data.countersign.limits as fixtures.limits
	not token_unbound.verdict with input as fixtures.with_route({"tier": "hgh"}) with data.countersign.limits as fixtures.limits
	not token_unbound.verdict with input as fixtures.good with data.countersign.limits as _bound("yes")
}

test_level_4_meets_every_tier if {
	assurance_too_low.verdict == {"effect": "clear", "required": 4} with input as object.union(
		fixtures.with_route({"tier": "critical"}),
		{"evidence": {"assurance": 4}},
	)
		with data.countersign.limits as fixtures.limits
}

_state(state) := object.union(fixtures.good, {"evidence": {"binding": state}})

_mismatched := json.patch(_state("mismatched"), [{
	"op": "replace",
	"path": "/signals/binding", "value": fixtures.missing("invalid", "dpop_key_mismatch"),
}])

_bound(value) := object.union(fixtures.limits, {"tiers": {"medium": {"bound": value}}})

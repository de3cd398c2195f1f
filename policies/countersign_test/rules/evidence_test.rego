package countersign_test.rules.evidence_test

import data.countersign.rules.identity.client_conflict
import data.countersign.rules.identity.evidence_conflict
import data.countersign.rules.identity.txn_token_invalid
import data.countersign.rules.identity.txn_token_required
import data.countersign_test.fixtures

test_no_conflict_is_clear if {
	every client in ["none", "single", "agreed", "conflict"] {
		evidence_conflict.verdict == "clear" with input as _agreement(client, [])
	}
}

test_a_conflict_denies_and_names_its_pairs if {
	every client in ["none", "single", "agreed"] {
		evidence_conflict.verdict == {"effect": "deny", "pairs": ["token_certificate", "token_txn_token"]} with input as _agreement(
			client,
			["token_certificate", "token_txn_token"],
		)
	}
}

test_different_clients_are_another_rules if {
	conflict := _agreement("conflict", ["token_certificate"])
	evidence_conflict.verdict == "clear" with input as conflict
	client_conflict.verdict == "deny" with input as conflict
}

test_beside_different_clients_another_pair_still_denies if {
	evidence_conflict.verdict == {"effect": "deny", "pairs": ["token_txn_token"]} with input as _agreement(
		"conflict",
		["token_certificate", "token_txn_token"],
	)
}

test_a_conflict_does_not_mind_on_a_public_route if {
	evidence_conflict.verdict == "clear" with input as object.union(
		_agreement("single", ["token_txn_token"]),
		{"route": {"public": true}},
	)
}

test_conflict_has_no_verdict_on_what_is_broken if {
	not evidence_conflict.verdict with input as _agreement("sngle", [])
	not evidence_conflict.verdict with input as _agreement("single", null)
	not evidence_conflict.verdict with input as _agreement("conflict", "token_txn_token")
	not evidence_conflict.verdict with input as fixtures.without("evidence/agreement/conflicts")
	not evidence_conflict.verdict with input as fixtures.without("evidence/agreement/client")
	not evidence_conflict.verdict with input as fixtures.without("evidence")
}

test_an_invalid_transaction_token_denies if {
	txn_token_invalid.verdict == {"effect": "deny", "status": 401, "txn_token": "token_expired"} with input as _invalid
}

test_an_invalid_transaction_token_denies_on_an_unknown_route if {
	verdict := txn_token_invalid.verdict with input as object.union(_invalid, {"route": {"status": "unknown"}})
	verdict.effect == "deny"
}

test_an_invalid_transaction_token_does_not_mind_on_a_public_route if {
	txn_token_invalid.verdict == "clear" with input as object.union(_invalid, {"route": {"public": true}})
}

test_other_transaction_tokens_are_not_invalid if {
	every status in ["present", "absent", "unavailable"] {
		txn_token_invalid.verdict == "clear" with input as _txn_token(status)
	}
}

test_invalid_has_no_verdict_on_what_is_broken if {
	not txn_token_invalid.verdict with input as _txn_token("invald")
	not txn_token_invalid.verdict with input as fixtures.without("signals/txn_token")
}

test_a_transaction_token_is_not_required_where_the_tier_does_not_say if {
	every status in ["present", "absent", "invalid", "unavailable"] {
		txn_token_required.verdict == "clear" with input as _txn_token(status) with data.countersign.limits as fixtures.limits
	}
}

test_a_required_one_that_is_missing_denies if {
	txn_token_required.verdict == {"effect": "deny", "status": 401} with input as _txn_token("absent")
		with data.countersign.limits as _required(true)
}

test_a_required_one_that_cannot_be_judged_is_retried if {
	txn_token_required.verdict == {"effect": "deny", "status": 503, "retry_after_seconds": 5} with input as _txn_token("unavailable")
		with data.countersign.limits as _required(true)
}

test_a_required_one_that_is_there_or_refused_is_clear if {
	every status in ["present", "invalid"] {
		txn_token_required.verdict == "clear" with input as _txn_token(status) with data.countersign.limits as _required(true)
	}
}

test_nothing_is_required_where_nothing_is_protected if {
	txn_token_required.verdict == "clear" with input as fixtures.public_route with data.countersign.limits as _required(true)
	txn_token_required.verdict == "clear" with input as fixtures.unknown_route with data.countersign.limits as _required(true)
}

test_required_has_no_verdict_on_what_is_broken if {
	not txn_token_required.verdict with input as _txn_token("prsent") with data.countersign.limits as fixtures.limits
	not txn_token_required.verdict with input as _txn_token("present") with data.countersign.limits as _required("yes")
	not txn_token_required.verdict with input as fixtures.without("signals/txn_token") with data.countersign.limits as fixtures.limits
	not txn_token_required.verdict with input as fixtures.with_route({"tier": "hgh"}) with data.countersign.limits as fixtures.limits
}

_agreement(client, conflicts) := json.patch(fixtures.good, [{
	"op": "replace",
	"path": "/evidence/agreement", "value": {"client": client, "conflicts": conflicts},
}])

_txn_token(status) := fixtures.with_signal("txn_token", {"status": status})

_invalid := fixtures.with_signal("txn_token", fixtures.missing("invalid", "token_expired"))

_required(value) := object.union(fixtures.limits, {"tiers": {"medium": {"txn_token": value}}})

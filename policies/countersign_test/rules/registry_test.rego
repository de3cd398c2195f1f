package countersign_test.rules.registry_test

import data.countersign.rules.access.client_scope_exceeded
import data.countersign.rules.access.scope_granted
import data.countersign.rules.access.scope_missing
import data.countersign.rules.identity.api_key_invalid
import data.countersign.rules.identity.api_key_network
import data.countersign.rules.identity.api_key_unavailable
import data.countersign.rules.identity.certificate_revoked
import data.countersign.rules.identity.client_country_unexpected
import data.countersign.rules.identity.client_inactive
import data.countersign.rules.identity.client_issuer_unexpected
import data.countersign.rules.identity.client_network_unexpected
import data.countersign.rules.identity.registry_unavailable
import data.countersign.rules.identity.revoked
import data.countersign.rules.identity.token_invalid
import data.countersign.rules.identity.token_required
import data.countersign.rules.signals.required
import data.countersign_test.fixtures

test_each_code_of_a_refused_key_has_one_rule_that_denies if {
	every code, wanted in _key_refusals {
		verdicts := _verdicts with input as _key(fixtures.missing("invalid", code))
		verdicts[wanted.rule] == wanted.verdict
		every _, verdict in object.remove(verdicts, [wanted.rule]) {
			verdict == "clear"
		}
	}
}

test_a_refused_key_is_not_looked_at_on_a_public_route if {
	every code, _ in _key_refusals {
		verdicts := _verdicts with input as object.union(_key(fixtures.missing("invalid", code)), {"route": {"public": true}})
		every _, verdict in verdicts {
			verdict == "clear"
		}
	}
}

test_a_key_that_could_not_be_verified_is_retried if {
	unavailable := _key(fixtures.missing("unavailable", "registry_unavailable"))
	api_key_unavailable.verdict == {
		"effect": "deny", "status": 503, "retry_after_seconds": 5, "api_key": "registry_unavailable",
	} with input as unavailable with data.countersign.limits as fixtures.limits
	api_key_unavailable.verdict == "clear" with input as object.union(unavailable, {"route": {"public": true}})
	verdicts := _verdicts with input as unavailable
	every _, verdict in verdicts {
		verdict == "clear"
	}
}

test_rules_of_keys_have_no_verdict_on_another_word if {
	broken := _key(fixtures.missing("invlid", "api_key_unknown"))
	not api_key_invalid.verdict with input as broken
	not api_key_network.verdict with input as broken
	not api_key_unavailable.verdict with input as broken
	not revoked.verdict with input as broken
}

test_rules_of_keys_have_no_verdict_without_the_signal if {
	without := fixtures.without("signals/api_key")
	not api_key_invalid.verdict with input as without
	not api_key_network.verdict with input as without
	not api_key_unavailable.verdict with input as without
	not revoked.verdict with input as without
	not token_required.verdict with input as json.remove(fixtures.without_token, ["signals/api_key"])
	not scope_granted.verdict with input as json.remove(fixtures.without_token, ["signals/api_key"])
}

test_each_code_of_a_revoked_token_is_of_one_rule if {
	every code in ["token_revoked", "session_revoked", "token_issued_before", "client_revoked"] {
		gone := fixtures.with_signal("token", fixtures.missing("invalid", code))
		revoked.verdict == {"effect": "deny", "status": 401, "revoked": [code]} with input as gone
		token_invalid.verdict == "clear" with input as gone
	}
}

test_several_revoked_credentials_are_all_told if {
	gone := json.patch(
		fixtures.with_signal("token", fixtures.missing("invalid", "client_revoked")),
		[{"op": "replace", "path": "signals/api_key", "value": fixtures.missing("invalid", "api_key_revoked")}],
	)
	revoked.verdict == {"effect": "deny", "status": 401, "revoked": ["api_key_revoked", "client_revoked"]} with input as gone
}

test_the_certificate_of_a_revoked_client_is_revoked if {
	certificate_revoked.verdict == {
		"effect": "deny", "status": 401, "certificate": "client_revoked",
	} with input as fixtures.with_signal("certificate", fixtures.missing("invalid", "client_revoked"))
}

test_registry_unavailable_is_retried if {
	gone := fixtures.with_signal("token", fixtures.missing("unavailable", "registry_unavailable"))
	registry_unavailable.verdict == {"effect": "deny", "status": 503, "retry_after_seconds": 5} with input as gone
		with data.countersign.limits as fixtures.limits
	registry_unavailable.verdict == "clear" with input as object.union(gone, {"route": {"public": true}})
}

test_registry_unavailable_is_clear_otherwise if {
	registry_unavailable.verdict == "clear" with input as fixtures.good
	registry_unavailable.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))
	registry_unavailable.verdict == "clear" with input as fixtures.with_signal("token", fixtures.missing("invalid", "token_expired"))
	not registry_unavailable.verdict with input as fixtures.with_signal("token", {"status": "unavailble"})
}

test_client_inactive if {
	client_inactive.verdict == "deny" with input as fixtures.with_client({"status": "suspended"})
	client_inactive.verdict == "deny" with input as fixtures.with_client({"status": "retired"})
	client_inactive.verdict == "clear" with input as fixtures.good
	client_inactive.verdict == "clear" with input as object.union(fixtures.with_client({"status": "retired"}), {"route": {"public": true}})
	not client_inactive.verdict with input as fixtures.with_client({"status": "actve"})
	not client_inactive.verdict with input as fixtures.with_client({"status": null})
}

test_an_unregistered_client_is_held_to_nothing if {
	unknown := object.union(fixtures.good, {"subject": {"registered": false, "client": null}})
	client_inactive.verdict == "clear" with input as unknown
	client_issuer_unexpected.verdict == "clear" with input as unknown
	client_network_unexpected.verdict == "clear" with input as unknown
	client_country_unexpected.verdict == "clear" with input as unknown
	client_scope_exceeded.verdict == "clear" with input as unknown
}

test_rules_of_clients_have_no_verdict_where_it_is_not_said_whether_there_is_one if {
	without := fixtures.without("subject")
	not client_inactive.verdict with input as without
	not client_issuer_unexpected.verdict with input as without
	not client_network_unexpected.verdict with input as without
	not client_country_unexpected.verdict with input as without
	not client_scope_exceeded.verdict with input as without
}

test_what_is_seen_of_a_client_is_held_against_its_record if {
	every fit, wanted in {"any": "clear", "expected": "clear", "unexpected": "deny", "unknown": "deny"} {
		client_issuer_unexpected.verdict == wanted with input as fixtures.with_client({"issuer": fit})
		client_network_unexpected.verdict == wanted with input as fixtures.with_client({"network": fit})
		client_country_unexpected.verdict == wanted with input as fixtures.with_client({"country": fit})
	}
}

test_and_not_on_a_public_route if {
	client_issuer_unexpected.verdict == "clear" with input as _public({"issuer": "unexpected"})
	client_network_unexpected.verdict == "clear" with input as _public({"network": "unexpected"})
	client_country_unexpected.verdict == "clear" with input as _public({"country": "unexpected"})
}

test_another_word_for_it_gives_no_verdict if {
	not client_issuer_unexpected.verdict with input as fixtures.with_client({"issuer": "expcted"})
	not client_network_unexpected.verdict with input as fixtures.with_client({"network": null})
	not client_country_unexpected.verdict with input as fixtures.with_client({"country": true})
}

test_each_of_the_three_is_looked_at if {
	client_issuer_unexpected.verdict == "deny" with input as fixtures.with_client({"issuer": "unexpected"})
	client_network_unexpected.verdict == "deny" with input as fixtures.with_client({"network": "unknown"})
	client_country_unexpected.verdict == "deny" with input as fixtures.with_client({"country": "unexpected"})
	client_issuer_unexpected.verdict == "clear" with input as fixtures.with_client({"network": "unexpected", "country": "unknown"})
	client_network_unexpected.verdict == "clear" with input as fixtures.with_client({"issuer": "unexpected", "country": "unknown"})
	client_country_unexpected.verdict == "clear" with input as fixtures.with_client({"issuer": "unexpected", "network": "unknown"})
}

test_a_country_that_could_not_be_looked_up_is_retried if {
	client_country_unexpected.verdict == {
		"effect": "deny", "status": 503, "retry_after_seconds": 5,
	} with input as fixtures.with_client({"country": "unavailable"}) with data.countersign.limits as fixtures.limits
}

test_client_scope_exceeded if {
	client_scope_exceeded.verdict == "deny" with input as fixtures.with_client({"scopes": []})
	client_scope_exceeded.verdict == "deny" with input as fixtures.with_client({"scopes": ["orders:write"]})
	client_scope_exceeded.verdict == "clear" with input as fixtures.with_client({"scopes": ["orders:read", "x"]})
	client_scope_exceeded.verdict == "clear" with input as fixtures.good
	client_scope_exceeded.verdict == "clear" with input as object.union(fixtures.with_client({"scopes": []}), {"route": {"public": true}})
	client_scope_exceeded.verdict == "clear" with input as object.union(fixtures.with_client({"scopes": []}), {"route": {"status": "unknown"}})
	not client_scope_exceeded.verdict with input as fixtures.with_client({"scopes": "orders:read"})
}

test_a_key_is_enough_of_a_credential if {
	token_required.verdict == "clear" with input as _key_alone(["orders:read"])
	scope_granted.verdict == "allow" with input as _key_alone(["orders:read"])
	scope_missing.verdict == "clear" with input as _key_alone(["orders:read"])
	scope_granted.verdict == "clear" with input as _key_alone(["x"])
	scope_missing.verdict.missing == ["orders:read"] with input as _key_alone(["x"])
	not scope_granted.verdict with input as _key_alone("orders:read")
}

test_a_key_lends_no_scope_to_a_token if {
	both := json.patch(fixtures.good, [
		{"op": "replace", "path": "signals/token/value/scopes", "value": []},
		{"op": "replace", "path": "signals/api_key", "value": fixtures.present({"scopes": ["orders:read"]})},
	])
	scope_granted.verdict == "clear" with input as both
	refused := json.patch(both, [{"op": "replace", "path": "signals/token", "value": fixtures.missing("invalid", "token_expired")}])
	scope_granted.verdict == "clear" with input as refused
	token_invalid.verdict == {"effect": "deny", "status": 401, "token": "token_expired"} with input as refused
}

test_a_tier_may_ask_for_a_key_or_for_either if {
	required.verdict == "clear" with input as _key_alone([]) with data.countersign.limits as _asking(["api_key"])
	required.verdict == "clear" with input as _key_alone([]) with data.countersign.limits as _asking(["credential"])
	required.verdict == "clear" with input as fixtures.good with data.countersign.limits as _asking(["credential"])
	required.verdict.effect == "step_up" with input as fixtures.good with data.countersign.limits as _asking(["api_key"])
	required.verdict.effect == "step_up" with input as fixtures.without_token with data.countersign.limits as _asking(["credential"])
	bad := object.union(fixtures.without_token, {"signals": {"api_key": fixtures.missing("invalid", "api_key_unknown")}})
	required.verdict.status == 401 with input as bad with data.countersign.limits as _asking(["credential"])
}

_asking(signals) := object.union(fixtures.limits, {"tiers": {"medium": {"signals": signals}}})

_key(signal) := json.patch(fixtures.without_token, [{"op": "replace", "path": "signals/api_key", "value": signal}])

_key_alone(scopes) := _key(fixtures.present({"id": "k", "client_id": "agent-a", "scopes": scopes, "expires_at": null}))

_verdicts := {
	"api_key_invalid": api_key_invalid.verdict,
	"api_key_network": api_key_network.verdict,
	"revoked": revoked.verdict,
}

_key_refusals := object.union(
	{code: {"rule": "api_key_invalid", "verdict": {"effect": "deny", "status": 401, "api_key": code}} |
		some code in [
			"credentials_multiple", "api_key_malformed", "api_key_checksum_wrong", "api_key_unknown", "api_key_expired",
		]
	},
	object.union(
		{code: {"rule": "revoked", "verdict": {"effect": "deny", "status": 401, "revoked": [code]}} |
			some code in ["api_key_revoked", "client_revoked"]
		},
		{"api_key_network": {"rule": "api_key_network", "verdict": "deny"}},
	),
)

_public(changes) := object.union(fixtures.with_client(changes), {"route": {"public": true}})

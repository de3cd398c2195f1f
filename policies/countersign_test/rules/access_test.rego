package countersign_test.rules.access_test

import data.countersign.rules.access.public_route
import data.countersign.rules.access.route_unknown
import data.countersign.rules.access.scope_granted
import data.countersign.rules.access.scope_missing
import data.countersign_test.fixtures

test_public_route_allows if public_route.verdict == "allow" with input as fixtures.public_route

test_public_route_is_clear_on_a_protected_route if public_route.verdict == "clear" with input as fixtures.good

test_public_route_is_clear_without_a_route if {
	public_route.verdict == "clear" with input as fixtures.unknown_route
	public_route.verdict == "clear" with input as fixtures.ambiguous_route
	public_route.verdict == "clear" with input as fixtures.no_route
}

test_public_route_has_no_verdict_when_public_is_text if {
	not public_route.verdict with input as fixtures.with_route({"public": "true"})
}

test_public_route_has_no_verdict_without_an_input if not public_route.verdict with input as {}

test_scope_granted_allows_with_every_scope if {
	scope_granted.verdict == "allow" with input as fixtures.good
	scope_granted.verdict == "allow" with input as fixtures.with_route({"scopes": ["orders:read", "orders:write"]})
}

test_scope_granted_is_clear_when_one_is_missing if {
	scope_granted.verdict == "clear" with input as fixtures.with_route({"scopes": ["orders:read", "admin"]})
}

test_scope_granted_grants_nothing_on_a_route_without_scopes if {
	scope_granted.verdict == "clear" with input as fixtures.with_route({"scopes": []})
}

test_scope_granted_is_clear_without_a_token if scope_granted.verdict == "clear" with input as fixtures.without_token

test_scope_granted_is_clear_where_nothing_is_protected if {
	scope_granted.verdict == "clear" with input as fixtures.public_route
	scope_granted.verdict == "clear" with input as fixtures.unknown_route
	scope_granted.verdict == "clear" with input as fixtures.ambiguous_route
}

test_scope_granted_has_no_verdict_when_the_scopes_are_text if {
	not scope_granted.verdict with input as fixtures.with_signal("token", fixtures.present({"scopes": "orders:read"}))
}

test_scope_granted_has_no_verdict_when_the_scopes_are_not_there if {
	not scope_granted.verdict with input as fixtures.with_signal("token", fixtures.present({}))
	not scope_granted.verdict with input as fixtures.without("route/scopes")
}

test_scope_missing_steps_up_and_grants if {
	scope_missing.verdict == {
		"effect": "step_up",
		"kind": "scope",
		"grants": true,
		"scopes": ["orders:read", "admin"],
		"missing": ["admin"],
	} with input as fixtures.with_route({"scopes": ["orders:read", "admin"]})
}

test_scope_missing_is_clear_when_none_is_missing if scope_missing.verdict == "clear" with input as fixtures.good

test_scope_missing_is_clear_without_a_token if scope_missing.verdict == "clear" with input as fixtures.without_token

test_scope_missing_has_no_verdict_when_the_scopes_are_broken if {
	not scope_missing.verdict with input as fixtures.with_signal("token", fixtures.present({"scopes": {"orders:read": true}}))
	not scope_missing.verdict with input as fixtures.with_signal("token", fixtures.present({}))
}

test_route_unknown_denies if route_unknown.verdict == "deny" with input as fixtures.unknown_route

test_route_unknown_is_clear_otherwise if {
	route_unknown.verdict == "clear" with input as fixtures.good
	route_unknown.verdict == "clear" with input as fixtures.ambiguous_route
	route_unknown.verdict == "clear" with input as fixtures.no_route
}

test_route_unknown_has_no_verdict_on_another_word if {
	not route_unknown.verdict with input as fixtures.with_route({"status": "machted"})
}

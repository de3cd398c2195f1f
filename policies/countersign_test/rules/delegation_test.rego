package countersign_test.rules.delegation_test

import data.countersign.rules.delegation.actor_unidentified
import data.countersign.rules.delegation.too_deep
import data.countersign.rules.delegation.widened
import data.countersign_test.fixtures

test_without_a_chain_all_are_clear if {
	widened.verdict == "clear" with input as fixtures.good
	actor_unidentified.verdict == "clear" with input as fixtures.good
	too_deep.verdict == "clear" with input as fixtures.good with data.countersign.limits as _depth(0)
}

test_without_a_token_all_are_clear if {
	widened.verdict == "clear" with input as fixtures.without_token
	actor_unidentified.verdict == "clear" with input as fixtures.without_token
	too_deep.verdict == "clear" with input as fixtures.without_token with data.countersign.limits as _depth(0)
}

test_widened_denies if {
	widened.verdict == {"effect": "deny", "widened_scopes": ["admin"]} with input as _widened(true, ["admin"])
}

test_not_widened_and_not_known_are_clear if {
	widened.verdict == "clear" with input as _widened(false, [])
	widened.verdict == "clear" with input as _widened(null, [])
}

test_widened_does_not_mind_on_a_public_route if {
	widened.verdict == "clear" with input as object.union(_widened(true, ["admin"]), {"route": {"public": true}})
}

test_widened_denies_on_an_unknown_route if {
	verdict := widened.verdict with input as object.union(_widened(true, ["admin"]), {"route": {"status": "unknown"}})
	verdict.effect == "deny"
}

test_widened_has_no_verdict_on_what_is_broken if {
	not widened.verdict with input as _widened("true", [])
	not widened.verdict with input as _widened(false, ["admin"])
	not widened.verdict with input as _chain({"depth": 1})
	not widened.verdict with input as fixtures.without("signals/token/value/delegation")
	not widened.verdict with input as fixtures.without("signals/token")
}

test_an_unidentified_actor_denies if {
	actor_unidentified.verdict == "deny" with input as _chain({"actor_identified": false})
}

test_an_identified_actor_is_clear if {
	actor_unidentified.verdict == "clear" with input as _chain({"actor_identified": true})
	actor_unidentified.verdict == "clear" with input as object.union(_chain({"actor_identified": false}), {"route": {"public": true}})
}

test_unidentified_has_no_verdict_on_what_is_broken if {
	not actor_unidentified.verdict with input as _chain({"actor_identified": null})
	not actor_unidentified.verdict with input as _chain({"depth": 1})
	not actor_unidentified.verdict with input as fixtures.without("signals/token/value/delegation")
	not actor_unidentified.verdict with input as fixtures.without("signals/token")
}

test_depth_is_free_where_the_tier_does_not_say if {
	too_deep.verdict == "clear" with input as _chain({"depth": 8}) with data.countersign.limits as fixtures.limits
}

test_depth_up_to_the_tiers_is_clear if {
	too_deep.verdict == "clear" with input as _chain({"depth": 2}) with data.countersign.limits as _depth(2)
}

test_depth_beyond_the_tiers_denies if {
	too_deep.verdict == {"effect": "deny", "depth": 3, "depth_max": 2} with input as _chain({"depth": 3})
		with data.countersign.limits as _depth(2)
	too_deep.verdict == {"effect": "deny", "depth": 1, "depth_max": 0} with input as _chain({"depth": 1})
		with data.countersign.limits as _depth(0)
}

test_depth_is_clear_where_nothing_is_protected if {
	too_deep.verdict == "clear" with input as object.union(_chain({"depth": 9}), {"route": {"public": true}})
		with data.countersign.limits as _depth(0)
	too_deep.verdict == "clear" with input as object.union(_chain({"depth": 9}), {"route": {"status": "unknown"}})
		with data.countersign.limits as _depth(0)
}

test_depth_has_no_verdict_on_what_is_broken if {
	not too_deep.verdict with input as _chain({"depth": "3"}) with data.countersign.limits as _depth(2)
	not too_deep.verdict with input as _chain({"depth": "3"}) with data.countersign.limits as fixtures.limits
	not too_deep.verdict with input as _chain({"depth": 3}) with data.countersign.limits as _depth("2")
	not too_deep.verdict with input as _chain({"widened": false}) with data.countersign.limits as _depth(2)
	not too_deep.verdict with input as object.union(_chain({"depth": 3}), {"route": {"tier": "hgh"}})
		with data.countersign.limits as _depth(2)
}

_chain(delegation) := json.patch(fixtures.good, [{
	"op": "replace",
	"path": "/signals/token/value/delegation", "value": delegation,
}])

_widened(state, scopes) := _chain({"depth": 2, "widened": state, "widened_scopes": scopes})

_depth(max) := object.union(fixtures.limits, {"tiers": {"medium": {"delegation_depth_max": max}}})

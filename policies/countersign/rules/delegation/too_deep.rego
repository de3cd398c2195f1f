# METADATA
# title: The route takes no tokens that were passed on so often
# description: where the tier has a delegation_depth_max; chains beyond the configuration's actorDepthMax are refused before
# custom:
#   public: true
#   remedy: Exchange the token fewer times on its way, or raise delegation_depth_max of the tier.
package countersign.rules.delegation.too_deep

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := "clear" if {
	status.lacking(input.signals.token.status)
} else := "clear" if {
	is_null(input.signals.token.value.delegation)
} else := _verdict(
	input.signals.token.value.delegation.depth,
	object.get(data.countersign.limits.tiers[input.route.tier], "delegation_depth_max", null),
) if {
	route.protected
}

_verdict(depth, null) := "clear" if is_number(depth)

_verdict(depth, max) := "clear" if is.at_most(depth, max)

_verdict(depth, max) := {"effect": "deny", "depth": depth, "depth_max": max} if is.above(depth, max)

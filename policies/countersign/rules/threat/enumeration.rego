# METADATA
# title: The client tries many things that are not there or not its own
# description: distinct resources within the hour, and many refusals here or failures and abuse that the upstream reported, also as a share of them, since who does much fails often too
# custom:
#   remedy: Call what is there and the client's own; it passes again within two hours, or by an exception.
package countersign.rules.threat.enumeration

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.enumeration
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.resources, data.countersign.limits.threats.enumeration.resources_max)
} else := "clear" if {
	is.at_most(_failures, data.countersign.limits.threats.enumeration.failures_max)
} else := "clear" if {
	is.at_most(_failures, _share)
} else := threat.seen("threat.enumeration", data.countersign.limits.threats.enumeration) if {
	is.above(input.signals.behaviour.value.resources, data.countersign.limits.threats.enumeration.resources_max)
	is.above(_failures, data.countersign.limits.threats.enumeration.failures_max)
	is.above(_failures, _share)
} else := "clear" if {
	input.signals.behaviour.value.resources == null
} else := "clear" if {
	input.signals.behaviour.value.denials == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}

_failures := (input.signals.behaviour.value.denials + input.signals.behaviour.value.outcomes.failure) + input.signals.behaviour.value.outcomes.abuse

_share := input.signals.behaviour.value.resources * data.countersign.limits.threats.enumeration.share_min

# METADATA
# title: The address or its network is on a list
# description: what a list's tags do is data; a list that cannot be relied on denies where its tag says so, since not being on it means nothing
# custom:
#   remedy: Have the address taken off the list that is named, or make an exception for it.
package countersign.rules.network.list_hit

import data.countersign.lib.is

verdict := {"effect": "deny", "lists": _with("deny")} if {
	count(_with("deny")) > 0
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"lists": _missing,
} if {
	count(_missing) > 0
} else := {"effect": "step_up", "kind": step.kind, "methods": step.methods, "lists": _with("step_up")} if {
	count(_with("step_up")) > 0
	is.below(input.evidence.assurance, 3)

	# the next step on the way to level 3: without a verified token a certificate alone lifts nothing
	step := data.countersign.limits.assurance_steps[format_int(max([2, input.evidence.assurance + 1]), 10)]
} else := "clear" if {
	count(_with("step_up")) == 0
	count(_missing) == 0
} else := "clear" if {
	is.at_most(3, input.evidence.assurance)
}

# names of lists whose tags have the effect; bound outside the set, which would hide that a part of it is undefined
_with(effect) := sort({hit.name | some hit in hits; some tag in hit.tags; tags[tag].hit == effect}) if {
	hits := _typed(input.request.address_lists)
	tags := data.countersign.limits.network.list_tags
	is_object(tags)
}

_missing := sort({gap.name | some gap in gaps; some tag in gap.tags; tags[tag].unavailable == "deny"}) if {
	gaps := _typed(input.request.address_lists_unavailable)
	tags := data.countersign.limits.network.list_tags
	is_object(tags)
}

_typed(lists) := lists if {
	is_array(lists)
	every list in lists {
		is_string(list.name)
		is_array(list.tags)
	}
}

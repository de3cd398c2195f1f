# METADATA
# title: This request lacks what it is counted by
# description: named limits whose on_missing is deny hold requests without their entity, their counter's key or a valid amount; the others are passed over
# custom:
#   public: true
#   remedy: Send what the named limit counts by, or change on_missing of that name in limits.rate_limits.
#   status: 400
package countersign.rules.rate.uncounted

import data.countersign.lib.status

verdict := "clear" if {
	_none
} else := "clear" if {
	status.lacking(input.signals.rate.status)
} else := _verdict([name | some name in _strict; _lacks(_limits[name].of, absent, flags)]) if {
	flags := input.signals.rate.value.flags
	is_array(flags)
	absent := _absent
}

_limits := data.countersign.limits.rate_limits

_none if _limits == {}

_none if {
	is_object(data.countersign.limits)
	not _limits
}

# what the gateway measured is its own affair
_strict := [name | some name, set in _limits; _on_missing(set) == "deny"; object.get(set, "shadow", false) == false; set.of != "pep"]

# its own word, or that of its counter
_on_missing(set) := set.on_missing

_on_missing(set) := data.countersign.limits.counters[set.of].on_missing if not set.on_missing

_verdict([]) := "clear"

_verdict(names) := {"effect": "deny", "status": 400, "missing_limits": names} if count(names) > 0

# what the store could not count was there
_absent := [name | some name, counts in known; is_null(counts); not name in failed] if {
	failed := input.signals.rate.value.failed
	is_array(failed)

	# literal references, so that `opa deps` sees what is read
	known := {
		"client": input.signals.rate.value.client,
		"address": input.signals.rate.value.address,
		"token": input.signals.rate.value.token,
		"route": input.signals.rate.value.route,
		"api_key": input.signals.rate.value.api_key,
	}
}

_lacks(entity, absent, _) if entity in absent

_lacks(counter, _, flags) if concat(".", [counter, "key_missing"]) in flags

_lacks(counter, _, flags) if concat(".", [counter, "amount_invalid"]) in flags

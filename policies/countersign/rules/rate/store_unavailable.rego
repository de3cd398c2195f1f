# METADATA
# title: This request cannot be counted at the moment
# description: named limits whose on_store_error is deny hold while the store cannot count; the others are passed over
# custom:
#   public: true
#   remedy: Try again later; operators see in /status why the store of counters does not answer.
#   status: 503
package countersign.rules.rate.store_unavailable

verdict := "clear" if {
	_none
} else := "clear" if {
	input.signals.rate.status in {"absent", "invalid"}
} else := _verdict([name | some name in _strict; _limits[name].of in failed]) if {
	input.signals.rate.status == "present"
	failed := input.signals.rate.value.failed
	is_array(failed)
} else := _verdict([name | some name in _strict; not _without(_limits[name].of)]) if {
	input.signals.rate.status == "unavailable"
}

_limits := data.countersign.limits.rate_limits

_none if _limits == {}

_none if {
	is_object(data.countersign.limits)
	not _limits
}

# of the gateway's own count no store is asked
_strict := [name | some name, set in _limits; set.on_store_error == "deny"; object.get(set, "shadow", false) == false; set.of != "pep"]

_verdict([]) := "clear"

_verdict(names) := {
	"effect": "deny", "status": 503,
	"retry_after_seconds": data.countersign.limits.signals.retry_after_seconds, "store_limits": names,
} if {
	count(names) > 0
}

# what this request has none of: everything else could have been over its limit
_without("client") if input.evidence.agreement.client == "none"

_without("token") if input.signals.token.status != "present"

_without("api_key") if input.signals.api_key.status != "present"

_without(counter) if {
	routes := data.countersign.limits.counters[counter].routes
	route_id := input.route.id
	not route_id in routes
}

# METADATA
# description: a request for which every rule is clear or grants; tests change one thing of it
package countersign_test.fixtures

windows := {"10s": 1, "1m": 1, "10m": 1, "1h": 1}

present(value) := {"status": "present", "value": value}

missing(status, code) := {"status": status, "code": code}

client := {
	"id": "agent-a", "type": null, "status": "active", "scopes": null, "tags": [],
	"issuer": "any", "network": "any", "country": "any",
}

good := {
	"time": {"unix_seconds": 1000},
	"request": {"flags": [], "address_lists": [], "address_lists_unavailable": []},
	"subject": {"type": "client", "id": "agent-a", "asserted": false, "registered": true, "client": client},
	"route": {"status": "matched", "id": "orders_read", "tier": "medium", "scopes": ["orders:read"], "public": false, "mcp": null},
	"evidence": {"assurance": 2, "binding": "none", "agreement": {"client": "single", "conflicts": []}},
	"signals": {
		"token": present({"scopes": ["orders:read", "orders:write"], "introspected_at": null, "delegation": null}),
		"certificate": missing("absent", "certificate_missing"),
		"binding": missing("absent", "token_not_bound"),
		"api_key": missing("absent", "api_key_missing"),
		"txn_token": missing("absent", "txn_token_missing"),
		"signature": missing("absent", "signature_unchecked"),
		"network": present({"country": "DE", "kinds": [], "lists": []}),
		"device": present({"new_for_client": false, "known": null, "first_seen": 100, "shared_by_clients": 1}),
		"behaviour": present({
			"requests_minute": 1, "requests_minute_mean": 1, "requests_deviation": 0, "resources": 1, "addresses": 1, "asns": 1, "token_addresses": 1,
			"denials": 0, "step_ups": 0, "outcomes": {"failure": 0, "abuse": 0},
			"idle_seconds": 1, "country_new": false, "asn_new": false, "travel_km": 0, "travel_kmh": 0, "address_failed_credentials": 0,
		}),
		"rate": present({
			"client": windows, "address": windows, "token": windows, "route": windows, "api_key": null,
			"counters": {}, "resets": {}, "failed": [], "flags": [], "day_lost": false, "degraded": false, "history_lost": false, "pep": null,
		}),
	},
}

limits := {
	"tiers": {
		"low": {"assurance": 0, "signals": [], "risk": {"allowed": 80, "allowed_bound": 100}},
		"medium": {"assurance": 2, "signals": ["token"], "risk": {"allowed": 30, "allowed_bound": 60}},
		"high": {"assurance": 3, "signals": ["token", "rate"], "risk": {"allowed": 30, "allowed_bound": 60}},
		"critical": {"assurance": 4, "signals": ["token", "certificate", "rate", "network"], "risk": {"allowed": 20, "allowed_bound": 40}},
	},
	"assurance_steps": {
		"1": {"kind": "authentication", "methods": ["token"]},
		"2": {"kind": "authentication", "methods": ["token"]},
		"3": {"kind": "binding", "methods": ["mtls"]},
		"4": {"kind": "binding", "methods": ["dpop", "mtls"]},
	},
	"rate": {"client": {"10s": 100, "1m": 300}, "address": {"10s": 200}, "token": {}, "route": {}},
	"rate_limits": {}, "counters": {}, "rate_fields": "denied",
	"network": {
		"countries_blocked": ["KP"],
		"list_tags": {
			"malicious": {"hit": "deny", "unavailable": "deny"},
			"tor_exit": {"hit": "step_up", "unavailable": "clear"},
			"partner": {"hit": "clear", "unavailable": "clear"},
		},
	},
	"risk": {
		"network_kinds": {"vpn": 20, "tor": 50}, "countries": {"XX": 15}, "network_unknown": 5, "rate_unknown": 10,
		"request_flags": {"header_underscore": 10},
	},
	"threats": {
		"stolen_token": {"effect": "step_up", "points": 30, "device_age_seconds_min": 600, "device_clients_max": 5},
		"key_leak": {"effect": "step_up", "points": 30, "addresses_max": 8, "asns_max": 4},
		"scraping": {"effect": "deny", "points": 0, "resources_max": 100},
		"enumeration": {"effect": "deny", "points": 0, "resources_max": 20, "failures_max": 10, "share_min": 0.3},
		"credential_stuffing": {"effect": "deny", "points": 0, "credentials_max": 10},
		"impossible_travel": {"effect": "step_up", "points": 20, "km_min": 500, "kmh_max": 1000},
		"dormant_client": {"effect": "step_up", "points": 20, "idle_seconds_max": 1000},
		"agent_drift": {"effect": "step_up", "points": 20, "deviation_max": 8, "requests_minute_max": 30, "refusals_max": 10, "mean_times_min": 2},
		"anonymiser": {"effect": "step_up", "points": 0, "kinds": ["proxy", "residential"]},
		"hosting_unexpected": {"effect": "step_up", "points": 20, "client_types": ["device"], "tiers": ["critical"]},
	},
	"mcp": {
		"versions": ["2026-07-28"], "methods": ["tools/list", "tools/call", "prompts/get", "resources/read"],
		"servers": {
			"tickets": {
				"tools": {
					"search": {"scopes": ["orders:read"]},
					"comment": {"scopes": ["orders:read", "tickets:write"]},
					"close": {"clients": ["agent-a"], "scopes": ["orders:write"]},
					"purge": {"clients": ["agent-b"]},
					"wipe": {"scopes": ["orders:write"], "assurance": 3},
				},
				"prompts": {"triage": {}},
				"resources": {"*": {"scopes": ["orders:read"]}},
				"actions": {"get_customer": {"scopes": ["orders:read"]}},
			},
			"old": {"versions": ["2025-11-25"], "methods": ["initialize"], "tools": {}},
		},
	},
	"signals": {"retry_after_seconds": 5},
}

with_signal(name, signal) := json.patch(good, [{"op": "replace", "path": ["signals", name], "value": signal}])

with_route(changes) := object.union(good, {"route": changes})

public_route := with_route({"public": true, "tier": "low", "scopes": []})

unknown_route := with_route({"status": "unknown", "tier": "critical", "scopes": []})

ambiguous_route := with_route({"status": "ambiguous", "tier": "critical", "scopes": []})

no_route := with_route({"status": "none", "tier": "critical", "scopes": []})

with_client(changes) := object.union(good, {"subject": {"client": changes}})

without_token := with_signal("token", missing("absent", "token_missing"))

without(path) := json.remove(good, [path])

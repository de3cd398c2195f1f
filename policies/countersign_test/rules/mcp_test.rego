package countersign_test.rules.mcp_test

import data.countersign.lib.mcp
import data.countersign.rules.mcp.assurance_too_low
import data.countersign.rules.mcp.caller_mismatch
import data.countersign.rules.mcp.granted
import data.countersign.rules.mcp.header_mismatch
import data.countersign.rules.mcp.message_invalid
import data.countersign.rules.mcp.method_unknown
import data.countersign.rules.mcp.scope_missing
import data.countersign.rules.mcp.target_denied
import data.countersign.rules.mcp.version_unsupported
import data.countersign_test.fixtures

test_every_rule_is_clear_without_mcp if {
	given := _verdicts with input as fixtures.good
	count(given) == 9
	_spoken == {} with input as fixtures.good
}

test_no_rule_has_a_verdict_where_the_message_is_broken if {
	every given in [
		json.remove(fixtures.good, ["route/mcp"]), json.remove(_listing, ["mcp"]), object.union(_listing, {"mcp": "text"}),
		_asking({"status": "raed"}), _asking({"server": "nobody"}),
	] {
		denied := _spoken with input as given with data.countersign.limits as fixtures.limits
		not _allows(denied)
		found := _verdicts with input as given with data.countersign.limits as fixtures.limits
		count(found) < 9
	}
}

test_a_listed_tool_with_its_scopes_is_granted if _spoken == {"granted": "allow"} with input as _tool("search") with data.countersign.limits as fixtures.limits

test_a_list_is_granted_to_whom_is_known if {
	_spoken == {"granted": "allow"} with input as _listing with data.countersign.limits as fixtures.limits
	_spoken == {} with input as _nobody(_listing) with data.countersign.limits as fixtures.limits
}

test_a_prompt_without_needs_is_granted_to_whom_is_known if {
	given := _asking({"method": "prompts/get", "list": "prompts", "name": "triage", "target": "triage"})
	_spoken == {"granted": "allow"} with input as given with data.countersign.limits as fixtures.limits
	_spoken == {} with input as _nobody(given) with data.countersign.limits as fixtures.limits
}

test_every_other_target_is_that_of_the_star if {
	given := _asking({"method": "resources/read", "list": "resources", "name": "file:///a", "target": "file:///a"})
	_spoken == {"granted": "allow"} with input as given with data.countersign.limits as fixtures.limits
}

test_a_declared_action_is_held_to_its_list if {
	listed := _asking({"source": "question", "kind": "declared", "method": "get_customer", "list": "actions", "name": "get_customer", "target": "get_customer"})
	_spoken == {"granted": "allow"} with input as listed with data.countersign.limits as fixtures.limits
	other := _asking({"source": "question", "kind": "declared", "method": "drop", "list": "actions", "name": "drop", "target": "drop"})
	_spoken == {"target_denied": "deny"} with input as other with data.countersign.limits as fixtures.limits
}

test_a_method_that_is_not_listed_is_denied if {
	denied := {"effect": "deny", "status": 404, "rpc_code": -32601}
	given := object.union(_listing, {"mcp": {"method": "tools/erase"}})
	_spoken == {"method_unknown": denied} with input as given with data.countersign.limits as fixtures.limits

	# methods are words, not patterns
	upper := object.union(_listing, {"mcp": {"method": "Tools/List"}})
	_spoken == {"method_unknown": denied} with input as upper with data.countersign.limits as fixtures.limits
}

test_a_server_may_have_its_own_methods_and_versions if {
	given := object.union(_listing, {"mcp": {"server": "old", "method": "initialize", "version": "2025-11-25"}})
	_spoken == {"granted": "allow"} with input as given with data.countersign.limits as fixtures.limits
	mcp.versions == ["2025-11-25"] with input as given with data.countersign.limits as fixtures.limits
}

test_a_tool_that_is_not_listed_is_denied if {
	every name in ["deploy", "Search", "search ", "*"] {
		_spoken == {"target_denied": "deny"} with input as _tool(name) with data.countersign.limits as fixtures.limits
	}
}

test_a_tool_for_other_clients_is_denied if {
	_spoken == {"target_denied": "deny"} with input as _tool("purge") with data.countersign.limits as fixtures.limits
	_spoken == {"granted": "allow"} with input as _tool("close") with data.countersign.limits as fixtures.limits
	other := object.union(_tool("close"), {"mcp": {"client": "agent-c"}})
	_spoken == {"target_denied": "deny"} with input as other with data.countersign.limits as fixtures.limits
}

test_who_is_not_known_is_told_of_no_tool if {
	every name in ["deploy", "purge", "search"] {
		_spoken == {} with input as _nobody(_tool(name)) with data.countersign.limits as fixtures.limits
	}
}

test_the_scopes_of_route_and_tool_are_asked_for_together if {
	verdict := {
		"effect": "step_up", "kind": "scope", "grants": true,
		"scopes": ["orders:read", "tickets:write"], "missing": ["tickets:write"],
	}
	_spoken == {"scope_missing": verdict} with input as _tool("comment") with data.countersign.limits as fixtures.limits
}

test_a_tool_with_scopes_on_a_public_route_needs_a_token if {
	public := object.union(_nobody(_tool("search")), {"route": {"public": true, "scopes": []}})
	wanted := {"scope_missing": {"effect": "step_up", "kind": "authentication", "methods": ["token"]}}
	_spoken == wanted with input as public with data.countersign.limits as fixtures.limits
}

test_scopes_of_another_type_give_no_verdict if {
	given := object.union(_tool("search"), {"signals": {"token": {"value": {"scopes": "orders:read"}}}})
	not scope_missing.verdict with input as given with data.countersign.limits as fixtures.limits
	not granted.verdict == "allow" with input as given with data.countersign.limits as fixtures.limits
}

test_a_tool_may_ask_for_more_assurance if {
	given := _spoken with input as _tool("wipe") with data.countersign.limits as fixtures.limits
	given.assurance_too_low == {"effect": "step_up", "required": 3, "kind": "binding", "methods": ["mtls"]}
	strong := object.union(_tool("wipe"), {"evidence": {"assurance": 3}})
	assurance_too_low.verdict == {"effect": "clear", "required": 3} with input as strong with data.countersign.limits as fixtures.limits
}

test_refused_messages_are_denied_by_one_rule_each if {
	every code, status in _refusals {
		given := _spoken with input as _refused(code) with data.countersign.limits as fixtures.limits
		count(given) == 1
		some verdict in given
		verdict.effect == "deny"
		verdict.status == status
	}
	not message_invalid.verdict with input as _refused("another") with data.countersign.limits as fixtures.limits
}

test_headers_that_disagree_have_the_code_of_the_revision if {
	every code in ["header_missing", "header_repeated", "header_invalid", "header_look_alike", "header_mismatch"] {
		header_mismatch.verdict.rpc_code == -32020 with input as _refused(code) with data.countersign.limits as fixtures.limits
	}
}

test_another_revision_is_told_which_ones_there_are if {
	given := object.union(_refused("version_unsupported"), {"mcp": {"version": "1900-01-01"}})
	verdict := version_unsupported.verdict with input as given with data.countersign.limits as fixtures.limits
	verdict == {
		"effect": "deny", "status": 400, "rpc_code": -32022,
		"rpc_data": {"supported": ["2026-07-28"], "requested": "1900-01-01"},
	}
}

test_a_question_about_another_caller_is_denied if {
	caller_mismatch.verdict == "deny" with input as _asking({"source": "question", "caller": "other"})
	caller_mismatch.verdict == "clear" with input as _asking({"source": "question", "caller": "same"})
	not caller_mismatch.verdict with input as _asking({"source": "question", "caller": true})
}

test_methods_and_targets_are_looked_at_apart if {
	method_unknown.verdict == "clear" with input as _tool("deploy") with data.countersign.limits as fixtures.limits
	target_denied.verdict == "clear" with input as _listing with data.countersign.limits as fixtures.limits
}

test_what_is_hidden_is_denied_as_what_is_not_there if {
	missing := {"effect": "deny", "status": 400, "hidden": true, "rpc_code": -32602, "rpc_message": "Unknown tool"}
	every name in ["deploy", "purge"] {
		_spoken == {"target_denied": missing} with input as _tool(name) with data.countersign.limits as _hiding
	}
	_spoken == {"scope_missing": object.union(missing, {"scopes": ["orders:read", "tickets:write"]})} with input as _tool("comment")
		with data.countersign.limits as _hiding
	weak := object.union(_tool("wipe"), {"signals": {"token": {"value": {"scopes": ["orders:write"]}}}})
	_spoken == {"granted": "allow", "assurance_too_low": object.union(missing, {"required": 3})} with input as weak with data.countersign.limits as _hiding
	_spoken == {"granted": "allow"} with input as _tool("search") with data.countersign.limits as _hiding
}

test_each_list_has_its_own_words_for_what_is_not_there if {
	wanted := {
		"prompts": [-32602, "Unknown prompt"], "resources": [-32602, "Resource not found"],
		"actions": [-32602, "Unknown action"], "tools": [-32602, "Unknown tool"],
	}
	every list, words in wanted {
		given := _asking({"list": list, "name": "x:y", "target": "x:y"})
		verdict := target_denied.verdict with input as given with data.countersign.limits as _hiding_closed
		[verdict.rpc_code, verdict.rpc_message] == words
	}
	old := _asking({"list": "resources", "name": "x:y", "target": "x:y", "version": "2025-11-25"})
	target_denied.verdict.rpc_code == -32002 with input as old with data.countersign.limits as _hiding_closed
}

test_headers_that_disagree_do_not_tell_what_is_hidden if {
	every name in ["deploy", "purge", "comment", "wipe"] {
		given := object.union(_tool(name), {"mcp": {"status": "refused", "code": "header_missing"}})
		spoken := _spoken with input as given with data.countersign.limits as _hiding
		count(spoken) > 0
		every verdict in spoken {
			verdict.hidden == true
		}
	}
	own := object.union(_tool("search"), {"mcp": {"status": "refused", "code": "header_missing"}})
	object.keys(_spoken) == {"header_mismatch"} with input as own with data.countersign.limits as _hiding
	listing := object.union(_listing, {"mcp": {"status": "refused", "code": "header_missing"}})
	object.keys(_spoken) == {"header_mismatch"} with input as listing with data.countersign.limits as _hiding
}

test_who_is_not_known_hears_the_same_of_everything_where_tools_are_hidden if {
	wanted := {"target_denied": {"effect": "step_up", "kind": "authentication", "methods": ["token"]}}
	every name in ["deploy", "purge", "search", "wipe"] {
		_spoken == wanted with input as _nobody(_tool(name)) with data.countersign.limits as _hiding
		refused := object.union(_nobody(_tool(name)), {"mcp": {"status": "refused", "code": "header_missing"}})
		_spoken == wanted with input as refused with data.countersign.limits as _hiding
	}
}

test_a_method_that_is_not_listed_does_not_tell_either if {
	every name in ["deploy", "purge", "comment"] {
		given := object.union(_tool(name), {"mcp": {"method": "tools/erase"}})
		spoken := _spoken with input as given with data.countersign.limits as _hiding
		count(spoken) > 0
		every verdict in spoken {
			verdict.hidden == true
		}
	}
	own := object.union(_tool("search"), {"mcp": {"method": "tools/erase"}})
	object.keys(_spoken) == {"method_unknown"} with input as own with data.countersign.limits as _hiding
}

test_a_caller_without_scopes_to_speak_of_learns_nothing if {
	given := object.union(_nobody(_tool("search")), {"mcp": {"client": "agent-a"}})
	object.keys(_spoken) == {"scope_missing"} with input as given with data.countersign.limits as _hiding
	public := object.union(_nobody(_tool("search")), {"route": {"public": true, "scopes": []}})
	scope_missing.verdict.hidden == true with input as public with data.countersign.limits as _hiding
}

test_a_server_may_hide_or_show_for_itself if {
	open := object.union(_hiding, {"mcp": {"servers": {"tickets": {"denied_as": "forbidden"}}}})
	target_denied.verdict == "deny" with input as _tool("deploy") with data.countersign.limits as open
	one := object.union(fixtures.limits, {"mcp": {"servers": {"tickets": {"denied_as": "not_found"}}}})
	target_denied.verdict.hidden == true with input as _tool("deploy") with data.countersign.limits as one
}

_hiding := object.union(fixtures.limits, {"mcp": {"denied_as": "not_found"}})

_hiding_closed := json.remove(_hiding, ["mcp/servers/tickets/resources"])

_message := {
	"server": "tickets", "source": "body", "status": "read", "code": null, "kind": "request", "version": "2026-07-28",
	"method": "tools/call", "list": "tools", "name": "search", "target": "search", "client": "agent-a", "caller": "unchecked",
}

_asking(changes) := object.union(fixtures.good, {"route": {"mcp": "tickets"}, "mcp": object.union(_message, changes)})

_tool(name) := _asking({"name": name, "target": name})

_listing := _asking({"method": "tools/list", "list": null, "name": null, "target": null})

_refused(code) := _asking({"status": "refused", "code": code})

_nobody(given) := json.patch(given, [
	{"op": "replace", "path": "/signals/token", "value": fixtures.missing("absent", "token_missing")},
	{"op": "replace", "path": "/mcp/client", "value": null},
])

_refusals := {
	"not_post": 405, "body_absent": 400, "body_truncated": 413, "body_too_large": 413, "body_type": 415, "body_invalid": 400, "batch": 400,
	"message_invalid": 400, "message_ambiguous": 400, "params_invalid": 400, "meta_missing": 400, "header_missing": 400, "header_repeated": 400,
	"header_invalid": 400, "header_look_alike": 400, "header_mismatch": 400, "version_unsupported": 400,
}

_verdicts := {name: verdict | verdict := data.countersign.rules.mcp[name].verdict}

_spoken := {name: verdict |
	some name, verdict in _verdicts
	not _clear(verdict)
}

_clear("clear")

_clear(verdict) if verdict.effect == "clear"

_allows(spoken) if "allow" in spoken

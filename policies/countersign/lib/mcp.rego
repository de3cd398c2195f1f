# METADATA
# description: what limits.mcp says of a message to an MCP server; undefined where the route is not one of an MCP server's
package countersign.lib.mcp

import data.countersign.lib.credential
import data.countersign.lib.is
import data.countersign.lib.route

# not MCP; a look at input.mcp itself would have all of it built
off if is_null(input.route.mcp)

# it could be read, and its headers agree with it
read if input.mcp.status == "read"

refused if input.mcp.status == "refused"

server := data.countersign.limits.mcp.servers[input.mcp.server]

methods := server.methods

methods := data.countersign.limits.mcp.methods if {
	server
	not server.methods
}

versions := server.versions

versions := data.countersign.limits.mcp.versions if {
	server
	not server.versions
}

# a method, or an action of the server's own mapping, which is in the list of those instead
offered if input.mcp.kind == "declared"

offered if {
	input.mcp.kind in {"request", "notification"}
	input.mcp.method in methods
}

# nothing in particular is asked for
untargeted if {
	read
	is_null(input.mcp.list)
	is_null(input.mcp.target)
}

# what the list says of the target: its own entry, else that of all others
entry := server[input.mcp.list][input.mcp.target]

entry := server[input.mcp.list]["*"] if not server[input.mcp.list][input.mcp.target]

listed if {
	entry
} else := false if {
	server
	is_string(input.mcp.list)
	is_string(input.mcp.target)
}

# the client may ask for it
admitted if {
	listed
	not entry.clients
}

admitted if input.mcp.client in entry.clients

# what a token needs for it besides what the route asks for
scopes := [] if untargeted

scopes := entry.scopes

scopes := [] if {
	entry
	not entry.scopes
}

assurance := 0 if untargeted

assurance := entry.assurance

assurance := 0 if {
	entry
	not entry.assurance
}

# somebody asks, by a token or an API key, or by a certificate that stands for a client
known if is_array(credential.scopes)

known if is_string(input.mcp.client)

known if route.public

held if scopes == []

held if is.all_in(scopes, credential.scopes)

strong if is.below(input.evidence.assurance, assurance) == false

# what it may not ask for is answered as what is not there
hidden if server.denied_as == "not_found"

hidden if {
	server
	not server.denied_as
	data.countersign.limits.mcp.denied_as == "not_found"
}

header_codes := {"header_missing", "header_repeated", "header_invalid", "header_look_alike", "header_mismatch"}

# what a message asks for is known: also where its headers disagree, since which of them it needs is told by its target
aimed if {
	read
	_targeted
}

aimed if {
	refused
	input.mcp.code in header_codes
	_targeted
}

_targeted if {
	is_string(input.mcp.list)
	is_string(input.mcp.target)
}

_entitled if {
	known
	admitted
	held
	strong
}

# one of the rules about the target says that there is no such thing
withheld if {
	hidden
	aimed
	not _entitled
}

# the verdict on everything that is hidden; how a server says it of what it has not (MCP, Error Handling of tools, prompts and resources)
not_found := {
	"effect": "deny", "status": 400, "hidden": true,
	"rpc_code": _not_found_code, "rpc_message": _not_found[input.mcp.list],
}

_not_found := {"tools": "Unknown tool", "prompts": "Unknown prompt", "resources": "Resource not found", "actions": "Unknown action"}

# revisions before SEP-2164 have a code of their own for resources
_not_found_code := -32002 if {
	input.mcp.list == "resources"
	is_string(input.mcp.version)
	input.mcp.version < "2026-07-28"
} else := -32602

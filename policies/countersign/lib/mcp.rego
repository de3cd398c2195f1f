# METADATA
# description: what limits.mcp says of a message to an MCP server; undefined where the route is not one of an MCP server's
package countersign.lib.mcp

import data.countersign.lib.credential
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

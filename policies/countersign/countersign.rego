# METADATA
# title: Countersign's base pack
# description: holds no rule; it only says which schemas `opa check --schema` reads for everything below
# scope: subpackages
# schemas:
#   - input: schema.input
#   - data.countersign.limits: schema.limits
#   - data.countersign.routes: schema.routes
package countersign

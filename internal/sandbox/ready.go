package sandbox

import "maps"

// A Ready is where everything is: the one line of JSON, ambit.sandbox/v1, that other
// programs wait for.
type Ready struct {
	Schema   string `json:"schema"`
	OK       bool   `json:"ok"`
	Issuer   string `json:"issuer"`             // of the authorization server that knows every region
	API      string `json:"api"`                // of the region in which the person lives
	Gateway  string `json:"gateway"`            // the same region's
	MCP      string `json:"mcp"`                // every region's
	Manifest string `json:"manifest,omitempty"` // absolute path; "" where no manifest was given
	Provider string `json:"provider"`           // absolute path
	Keys     Keys   `json:"keys"`

	MoreKeys map[string]string `json:"more_keys"` // the others of the shape, by name
	Regions  map[string]Region `json:"regions"`
	Clients  map[string]string `json:"clients"` // client_id of each application at Issuer
	Control  string            `json:"control"` // URL under which the control endpoints stand
}

// Keys are API keys of the region in which the person lives, but one.
type Keys struct {
	Full        string `json:"full"`         // every scope that a key can hold
	NoGateway   string `json:"no_gateway"`   // all but the privileged ones
	ReadOnly    string `json:"read_only"`    // all that read
	Expired     string `json:"expired"`      // is answered as an unknown one
	OtherRegion string `json:"other_region"` // as Full, known in the other region only
}

// A Region is where the servers of one region are.
type Region struct {
	Issuer  string `json:"issuer"`
	API     string `json:"api"`
	Gateway string `json:"gateway"`
	MCP     string `json:"mcp"`
}

const readySchema = "ambit.sandbox/v1"

// Ready says where everything is.
func (s *Sandbox) Ready() Ready {
	r := s.ready
	r.MoreKeys, r.Regions, r.Clients = maps.Clone(r.MoreKeys), maps.Clone(r.Regions), maps.Clone(r.Clients)
	return r
}

// describe fills in all but the paths of the files.
func (s *Sandbox) describe(d listeners) Ready {
	r := Ready{Schema: readySchema, OK: true, Issuer: d.servers[s.shape.Cloud].origin, MoreKeys: map[string]string{}, Regions: map[string]Region{}, Clients: map[string]string{}}
	r.Control = r.Issuer + controlPath
	for _, region := range s.shape.Regions {
		origin := d.servers[region].origin
		r.Regions[region] = Region{Issuer: origin, API: origin, Gateway: d.gateways[region].origin + s.shape.GatewayPath, MCP: d.mcp.origin + s.shape.MCPPath}
	}
	home := r.Regions[s.region]
	r.API, r.Gateway, r.MCP = home.API, home.Gateway, home.MCP
	promised := map[string]*string{
		"full": &r.Keys.Full, "no_gateway": &r.Keys.NoGateway, "read_only": &r.Keys.ReadOnly, "expired": &r.Keys.Expired, "other_region": &r.Keys.OtherRegion,
	}
	for _, k := range s.store.keys {
		if field := promised[k.name]; field != nil {
			*field = k.value
		} else {
			r.MoreKeys[k.name] = k.value
		}
	}
	for name, app := range s.shape.Applications {
		r.Clients[name] = app.IDs[s.shape.Cloud]
	}
	return r
}

// keyNamed is the value of a key of the shape.
func (s *Sandbox) keyNamed(name string) string { return s.ready.MoreKeys[name] }

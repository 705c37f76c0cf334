package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"
)

// manifestName is the file that describes a registry as a whole. It holds no
// groups.
const manifestName = "registry_manifest.yaml"

// The types below mirror the part of Weaver's schema that is in use. Decoding
// is strict: a key that is not listed is an error, so that a misspelt
// requirement_level can't pass unseen.
type (
	document struct {
		Groups []group `yaml:"groups"`
	}

	group struct {
		ID          string      `yaml:"id"`
		Type        string      `yaml:"type"`
		MetricName  string      `yaml:"metric_name"`
		Instrument  string      `yaml:"instrument"`
		Unit        string      `yaml:"unit"`
		Stability   string      `yaml:"stability"`
		Brief       string      `yaml:"brief"`
		Note        string      `yaml:"note"`
		Attributes  []attribute `yaml:"attributes"`
		Annotations struct {
			Stagemeter groupNotes `yaml:"stagemeter"`
		} `yaml:"annotations"`

		file string // where the group stands
	}

	groupNotes struct {
		Prometheus string    `yaml:"prometheus"`
		Value      string    `yaml:"value"`
		Async      bool      `yaml:"async"`
		RecordedBy []string  `yaml:"recorded_by"`
		Buckets    yaml.Node `yaml:"buckets"` // a name, a list or, on an attribute group, lists by name
	}

	// attribute is a definition if it has an ID, a reference if it has a Ref.
	attribute struct {
		ID               string   `yaml:"id"`
		Ref              string   `yaml:"ref"`
		Type             attrType `yaml:"type"`
		RequirementLevel string   `yaml:"requirement_level"`
		Stability        string   `yaml:"stability"`
		Brief            string   `yaml:"brief"`
		Note             string   `yaml:"note"`
		Examples         []string `yaml:"examples"`
		Annotations      struct {
			Stagemeter attrNotes `yaml:"stagemeter"`
		} `yaml:"annotations"`
	}

	attrNotes struct {
		GoType  string   `yaml:"go_type"`
		Members []string `yaml:"members"`
		Open    bool     `yaml:"open"`
	}

	// attrType is a type's name, or the members of an enumeration.
	attrType struct {
		Name    string
		Members []member
	}

	member struct {
		ID        string `yaml:"id"`
		Value     string `yaml:"value"`
		Stability string `yaml:"stability"`
		Brief     string `yaml:"brief"`
	}
)

// UnmarshalYAML implements [yaml.Unmarshaler].
func (t *attrType) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&t.Name)
	}
	var enum struct {
		Members []member `yaml:"members"`
	}
	if err := n.Decode(&enum); err != nil {
		return err
	}
	t.Members = enum.Members
	return nil
}

// load reads the groups of all YAML files in fsys, in the order of the files'
// names.
func load(fsys fs.FS) ([]group, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	var (
		groups []group
		errs   []error
	)
	for _, name := range names {
		if path.Base(name) == manifestName {
			continue
		}
		doc, err := loadFile(fsys, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, g := range doc.Groups {
			g.file = name
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 && len(errs) == 0 {
		return nil, errors.New("the registry holds no groups")
	}
	return groups, errors.Join(errs...)
}

func loadFile(fsys fs.FS, name string) (document, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return document{}, err
	}
	defer f.Close()

	var doc document
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return document{}, err
	}
	return doc, nil
}

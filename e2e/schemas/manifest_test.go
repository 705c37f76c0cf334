package schemas

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// docs is the folder of the files, seen from this package.
const docs = "../../docs"

// docsPath is the absolute path of a file of docs.
func docsPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// decode decodes one manifest into the type that its apiVersion and kind name. An unknown field, a field that is
// there twice and an unknown kind are errors.
func decode(manifest []byte) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	if bytes.Contains(manifest, []byte("\n---")) {
		return nil, fmt.Errorf("more than one document")
	}
	strict := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	object, _, err := strict.Decode(manifest, nil, nil)
	return object, err
}

// comments are lines that hold nothing else.
var comments = regexp.MustCompile(`(?m)^(#.*)?$`)

// documents are the manifests of a file of docs/kubernetes.
func documents(t *testing.T, name string) [][]byte {
	t.Helper()
	all := bytes.SplitAfter(content(t, filepath.Join("kubernetes", name)), []byte("\n---\n"))
	for i := range all {
		all[i] = bytes.TrimSuffix(all[i], []byte("---\n")) // and not the line break, which is of the manifest
	}
	return slices.DeleteFunc(all, func(document []byte) bool {
		return len(bytes.TrimSpace(comments.ReplaceAll(document, nil))) == 0
	})
}

// readAll decodes a file of docs/kubernetes whose manifests all have to be a T.
func readAll[T runtime.Object](t *testing.T, name string) (all []T) {
	t.Helper()
	for _, manifest := range documents(t, name) {
		object, err := decode(manifest)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		typed, ok := object.(T)
		if !ok {
			t.Fatalf("%s has a %T", name, object)
		}
		all = append(all, typed)
	}
	return all
}

// read decodes a file of docs/kubernetes, which has to be one T.
func read[T runtime.Object](t *testing.T, name string) T {
	t.Helper()
	all := readAll[T](t, name)
	if len(all) != 1 {
		t.Fatalf("%s has %d manifests, want 1", name, len(all))
	}
	return all[0]
}

// content is what a file of docs holds.
func content(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(docsPath(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

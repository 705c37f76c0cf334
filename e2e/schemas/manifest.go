package schemas

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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

// read decodes a file of docs/kubernetes, which has to be a T.
func read[T runtime.Object](t *testing.T, name string) T {
	t.Helper()
	object, err := decode(content(t, filepath.Join("kubernetes", name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	typed, ok := object.(T)
	if !ok {
		t.Fatalf("%s is a %T", name, object)
	}
	return typed
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

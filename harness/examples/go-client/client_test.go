// Package client shows tests of Go programs that accept OIDC tokens or talk to Kubernetes.
package client

import (
	"context"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func kubernetesAs(t *testing.T, bearer string) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(harness.KubeAPI.Kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		config.BearerToken = bearer
	}
	return newClient(t, config)
}

func newClient(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func reset(t *testing.T) {
	t.Cleanup(func() { control(t, "/reset", map[string]any{}, nil) })
}

func TestVerifyTokens(t *testing.T) {
	ctx := oidc.ClientContext(t.Context(), trusting)
	provider, err := oidc.NewProvider(ctx, harness.Issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "kubernetes"})

	good, err := verifier.Verify(ctx, token(t, map[string]any{"sub": "jane"}))
	if err != nil || good.Subject != "jane" {
		t.Errorf("a good token: %v, %v", good, err)
	}
	for _, wrong := range []string{
		"expired", "wrong-audience", "wrong-issuer", "unknown-key", "wrong-key", "alg-none",
		"hmac-with-public-key", "tampered-payload", "tampered-signature",
	} {
		if _, err := verifier.Verify(ctx, token(t, map[string]any{"wrong": wrong})); err == nil {
			t.Errorf("a token that is %s was taken", wrong)
		}
	}
}

func TestKeysAreRotated(t *testing.T) {
	ctx := oidc.ClientContext(t.Context(), trusting)
	provider, err := oidc.NewProvider(ctx, harness.Issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "kubernetes"})
	old := token(t, nil)
	if _, err := verifier.Verify(ctx, old); err != nil {
		t.Fatal(err)
	}
	control(t, "/issuer/rotate-keys", map[string]any{"keep_old": true}, nil)
	for _, each := range []string{old, token(t, nil)} {
		if _, err := verifier.Verify(ctx, each); err != nil {
			t.Error(err)
		}
	}
}

func TestList(t *testing.T) {
	pods, err := kubernetesAs(t, "").CoreV1().Pods("demo").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) == 0 || pods.Items[0].Name != "web" {
		t.Errorf("%v, %v", pods, err)
	}
}

func TestAnExpiredTokenIsRefused(t *testing.T) {
	client := kubernetesAs(t, token(t, map[string]any{"wrong": "expired"}))
	_, err := client.CoreV1().Pods("demo").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("not refused: %v", err)
	}
}

func TestInformer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := kubernetesAs(t, "")
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("demo"))
	informer := factory.Core().V1().Pods().Informer()
	added := make(chan string, 10)
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(pod any) { added <- pod.(*corev1.Pod).Name },
	})
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer cancel()
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		t.Fatal("the cache was not filled")
	}
	create := func(name string) {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "main"}}},
		}
		if _, err := client.CoreV1().Pods("demo").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		for {
			select {
			case told := <-added:
				if told == name {
					return
				}
			case <-ctx.Done():
				t.Fatalf("the informer was not told of %s", name)
			}
		}
	}
	create("new")

	// A watch may end because its version is too old: the informer begins anew, and misses nothing.
	var ended struct{ Ended int }
	control(t, "/kube-api/end-watches", map[string]any{"status": 410}, &ended)
	if ended.Ended != 1 {
		t.Errorf("%d watches were ended", ended.Ended)
	}
	create("later")
}

func TestServerSideApply(t *testing.T) {
	client := kubernetesAs(t, "")
	settings := applycorev1.ConfigMap("settings", "demo").WithData(map[string]string{"colour": "blue"})
	options := metav1.ApplyOptions{FieldManager: "painter"}
	made, err := client.CoreV1().ConfigMaps("demo").Apply(t.Context(), settings, options)
	if err != nil {
		t.Fatal(err)
	}
	if made.Data["colour"] != "blue" || made.ManagedFields[0].Manager != "painter" {
		t.Errorf("%v", made)
	}
	settings.Data["colour"] = "red"
	options.FieldManager = "somebody-else"
	_, err = client.CoreV1().ConfigMaps("demo").Apply(t.Context(), settings, options)
	if !apierrors.IsConflict(err) {
		t.Errorf("no conflict: %v", err)
	}
}

func TestAFault(t *testing.T) {
	reset(t)
	control(t, "/kube-api/fail", map[string]any{
		"path": "/api/v1/namespaces/demo/pods", "status": 429, "times": 2,
		"headers": map[string]string{"Retry-After": "0"},
	}, nil)
	// client-go tries again when it is told to.
	if _, err := kubernetesAs(t, "").CoreV1().Pods("demo").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	control(t, "/kube-api/fail", map[string]any{"path": "/api/*", "status": 500}, nil)
	if _, err := kubernetesAs(t, "").CoreV1().Pods("demo").List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("an API server that fails was no error")
	}
}

package helper

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// KubernetesVariable is the environment variable in which a client of Kubernetes tells a plugin what
// it asks for.
const KubernetesVariable = "KUBERNETES_EXEC_INFO"

// kubernetesVersions are the API versions that are spoken, the newest first.
var kubernetesVersions = [...]string{"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"}

// A Kubernetes is what a client of Kubernetes asks of a plugin for credentials.
type Kubernetes struct {
	Server string // the cluster's; "" where the kubeconfig does not say provideClusterInfo: true

	version string
}

// ReadKubernetes reads the value of [KubernetesVariable]; "" is a person who tries it by hand.
func ReadKubernetes(value string) (Kubernetes, error) {
	k := Kubernetes{version: kubernetesVersions[0]}
	if value == "" {
		return k, nil
	}
	if len(value) > maxRequest {
		return k, tooLarge
	}
	var asked struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			Cluster *struct {
				Server string `json:"server"`
			} `json:"cluster"`
		} `json:"spec"`
	}
	if json.Unmarshal([]byte(value), &asked) != nil || asked.Kind != "ExecCredential" {
		return k, errors.New("it is not the ExecCredential that a client of Kubernetes writes")
	}
	if !slices.Contains(kubernetesVersions[:], asked.APIVersion) {
		return k, fmt.Errorf("it asks in the version %q; known are %q", asked.APIVersion, kubernetesVersions)
	}
	k.version = asked.APIVersion
	if asked.Spec.Cluster != nil {
		k.Server = asked.Spec.Cluster.Server
	}
	return k, nil
}

// Answer gives the client the token, in the version in which it asked: it takes no other.
func (k Kubernetes) Answer(t Token) string {
	type status struct {
		ExpirationTimestamp string `json:"expirationTimestamp,omitempty"`
		Token               string `json:"token"`
	}
	answer := struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Status     status `json:"status"`
	}{APIVersion: k.version, Kind: "ExecCredential", Status: status{Token: t.Secret}}
	if !t.ExpiresAt.IsZero() {
		answer.Status.ExpirationTimestamp = t.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return line(answer)
}

#!/usr/bin/env python3
"""Snakemake's jobs as Kubernetes Jobs: submit one, ask for its state, delete some.

    job.py submit --name RULE --cores N --memory MB --gpus N SCRIPT    prints the name
    job.py status NAME                          prints running, success or failed
    job.py NAME ...                             deletes

The namespace is the one of the kubectl context. Environment variables SEQDIS_* are
handed on.
"""

import argparse
import os
import sys
import uuid
from pathlib import Path

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError


def manifest(given: argparse.Namespace) -> dict:
    """Return job.yaml with the name, the command and the resources of one job."""
    job = yaml.safe_load(Path(__file__).with_name("job.yaml").read_text())
    rule = given.name.replace("_", "-").lower()[:40]
    job["metadata"]["name"] = f"seqdis-{rule}-{uuid.uuid4().hex[:8]}"
    asked = {"cpu": str(given.cores), "memory": f"{given.memory}M"}
    if given.gpus:
        asked["nvidia.com/gpu"] = str(given.gpus)
    handed_on = {k: v for k, v in os.environ.items() if k.startswith("SEQDIS_")}
    job["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["/bin/sh", given.script],
        "workingDir": str(Path.cwd()),
        "env": [{"name": name, "value": value} for name, value in handed_on.items()],
        "resources": {"requests": asked, "limits": asked},
    }
    return job


def state(jobs: client.BatchV1Api, name: str, namespace: str) -> str:
    """Return running, success or failed; a job that was deleted has failed."""
    try:
        found = jobs.read_namespaced_job_status(name, namespace).status
    except ApiException as problem:
        return "failed" if problem.status == 404 else "running"
    except HTTPError:
        return "running"  # the cluster does not answer now; Snakemake asks again
    if found.succeeded:
        return "success"
    return "failed" if found.failed else "running"


def main() -> None:
    """Do what the first word says."""
    config.load_kube_config()
    context = config.list_kube_config_contexts()[1]["context"]
    namespace, jobs = context.get("namespace", "default"), client.BatchV1Api()
    words = sys.argv[1:]
    if words[:1] == ["submit"]:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--name", required=True)
        parser.add_argument("--cores", type=int, default=1)
        parser.add_argument("--memory", type=int, required=True, help="MB")
        parser.add_argument("--gpus", type=int, default=0)
        parser.add_argument("script")
        job = manifest(parser.parse_args(words[1:]))
        jobs.create_namespaced_job(namespace, job)
        print(job["metadata"]["name"])  # noqa: T201
    elif words[:1] == ["status"]:
        print(state(jobs, words[1], namespace))  # noqa: T201
    else:
        for name in words:
            jobs.delete_namespaced_job(name, namespace, propagation_policy="Foreground")


if __name__ == "__main__":
    main()

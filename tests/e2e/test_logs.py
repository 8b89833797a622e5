"""`kubectl logs --follow` through koproxy."""

import contextlib
import uuid

from e2e.running import running
from localcluster.cluster import NAMESPACE, POD, Cluster
from localcluster.kubectl import Kubectl

FOLLOWERS = 6


def test_what_is_there_and_what_comes(anna: Kubectl, cluster: Cluster) -> None:
    first, second = (f"line {uuid.uuid4().hex}" for _ in range(2))
    cluster.write_log(first)
    with running(anna, "logs", "--follow", f"--namespace={NAMESPACE}", POD) as logs:
        assert logs.line_with(first) == first
        cluster.write_log(second)
        assert logs.line() == second


def test_several_follow_at_a_time(anna: Kubectl, cluster: Cluster) -> None:
    lines = [f"line {uuid.uuid4().hex}" for _ in range(5)]
    cluster.write_log(lines[0])
    with contextlib.ExitStack() as stack:
        followers = [
            stack.enter_context(
                running(anna, "logs", "--follow", "--tail=1", f"--namespace={NAMESPACE}", POD)
            )
            for _ in range(FOLLOWERS)
        ]
        for line in lines:
            if line != lines[0]:
                cluster.write_log(line)
            assert [follower.line() for follower in followers] == [line] * FOLLOWERS

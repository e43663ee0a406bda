"""What was destroyed, or can no longer be brought back. One call is ordinary work; the number is
told where calls are weighed together.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, named
from alerts.content.plain import plainly
from alerts.content.readers import Reader, Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "destroyed": "Data, machines, a bucket or a stack was deleted.",
    "database_deleted": "A database was deleted, without a last copy where it says so.",
    "copies_deleted": "Snapshots, images or backups were deleted: the way back.",
    "versions_suspended": "A bucket keeps no older versions of its objects any more.",
}


def _database(call: Call) -> Iterator[ContentSign]:
    cluster = call.given("dBClusterIdentifier")
    kind = "database cluster" if cluster and call.name == "DeleteDBCluster" else "database"
    about = named(kind, call.given("dBInstanceIdentifier") or cluster)
    bare = call.said("skipFinalSnapshot", True)
    copies = call.said("deleteAutomatedBackups", True)
    how = " without a last copy" if bare else ""
    how += ", its backups with it" if copies else ""
    yield ContentSign(
        "database_deleted", "for", False, f"{call.name} deleted {about}{how}.", ("T1485",),
        about=about,
    )  # fmt: skip


def _versioning(call: Call) -> Iterator[ContentSign]:
    if call.given("VersioningConfiguration.Status").casefold() == "suspended":
        about = named("bucket", call.given("bucketName"))
        yield ContentSign(
            "versions_suspended", "for", False,
            f"PutBucketVersioning has {about} keep no older versions.", ("T1490",), about=about,
        )  # fmt: skip


def _gone(thing: str, *paths: str, kind: str = "destroyed", techniques: str = "T1485") -> Reader:
    return plainly(kind, "deleted", thing, *paths, techniques=techniques)


def _copy(thing: str, *paths: str) -> Reader:
    return _gone(thing, *paths, kind="copies_deleted", techniques="T1490")


READERS: Readers = readers(
    ("s3", "DeleteBucket", _gone("bucket", "bucketName")),
    ("s3", "PutBucketVersioning", _versioning),
    ("rds", "DeleteDBInstance DeleteDBCluster", _database),
    ("rds", "DeleteGlobalCluster", _gone("global database cluster", "globalClusterIdentifier")),
    ("rds", "DeleteDBSnapshot", _copy("database snapshot", "dBSnapshotIdentifier")),
    ("rds", "DeleteDBClusterSnapshot", _copy("database snapshot", "dBClusterSnapshotIdentifier")),
    ("ec2", "TerminateInstances",
     plainly("destroyed", "terminated", "instance", "instancesSet.instanceId",
             techniques="T1485 T1489")),
    ("ec2", "DeleteVolume", _gone("volume", "volumeId")),
    ("ec2", "DeleteSnapshot", _copy("snapshot", "snapshotId")),
    ("ec2", "DeregisterImage", _copy("image", "imageId")),
    ("backup", "DeleteRecoveryPoint", _copy("recovery point", "recoveryPointArn")),
    ("backup", "DeleteBackupVault", _copy("backup vault", "backupVaultName")),
    ("backup", "DeleteBackupPlan", _copy("backup plan", "backupPlanId")),
    ("dynamodb", "DeleteTable", _gone("table", "tableName")),
    ("dynamodb", "DeleteBackup", _copy("table backup", "backupArn")),
    ("elasticfilesystem", "DeleteFileSystem", _gone("file system", "fileSystemId")),
    ("cloudformation", "DeleteStack", _gone("stack", "stackName")),
    ("ecr", "DeleteRepository", _gone("repository", "repositoryName")),
    ("lambda", "DeleteFunction", _gone("function", "functionName")),
    ("organizations account", "CloseAccount", _gone("account", "accountId", techniques="T1531")),
)  # fmt: skip

DATED = {"DeleteFunction": ("DeleteFunction20150331",)}

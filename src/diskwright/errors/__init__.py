"""Everything that can go wrong, drawn once.

    DiskwrightError                      exit code
    ├── UsageError                        2
    ├── ValidationFailed, ObjectTooLarge  3
    ├── InputError                       10
    │   ├── InputMissing, FolderMissing, FolderWithoutImages, InputUnreadable, InputNotAFile,
    │   ├── PackagesUnread, NotALibrary
    │   └── ImageRefused (kind, code, offset)
    │       ├── ImageUnsafe              names another file, or two formats match
    │       ├── ImageBroken              contradicts itself or lacks bytes
    │       └── ImageUnsupported         well formed, asks for what is not supported
    ├── ToolError                        11
    │   └── ToolMissing, ToolFailed, ToolStalled, ConfinementUnavailable
    ├── SecretError                      12
    │   └── KeyUnreadable, KeyUnavailable, KeyRefused, KeyMissing, DataTampered, ImageNotSealed
    ├── RemoteError                      13
    │   └── RemoteUnreachable, RemoteRefused, NoCredentials, BucketMissing, ObjectMissing,
    │       RemoteUnable
    ├── ConflictError                    14
    │   └── TargetExists, SourceChanged, ImageNotFound, ImageAmbiguous, TooManyRecipients, Locked,
    │       IllegalState, ChangedMeanwhile, NameTaken, ReadOnlyImage, ImageInUse,
    │       ServerNotFound, ServerAmbiguous, NotShared
    ├── OutputError                      15
    │   └── OutputNotWritable, DiskFull, CatalogDamaged
    └── Cancelled                       130 (143 when told to terminate)

An error holds facts as fields. `template` and `hint_template` are filled from those fields, and
only the CLI prints them. "Not mine" is no error: a parser that does not know a file returns None.
"""

from diskwright.errors.base import DiskwrightError
from diskwright.errors.conflict import (
    ChangedMeanwhile,
    ConflictError,
    IllegalState,
    ImageAmbiguous,
    ImageInUse,
    ImageNotFound,
    Locked,
    NameTaken,
    NotShared,
    ReadOnlyImage,
    ServerAmbiguous,
    ServerNotFound,
    SourceChanged,
    TargetExists,
    TooManyRecipients,
)
from diskwright.errors.input import (
    FolderMissing,
    FolderWithoutImages,
    ImageBroken,
    ImageRefused,
    ImageUnsafe,
    ImageUnsupported,
    InputError,
    InputMissing,
    InputNotAFile,
    InputUnreadable,
    NotALibrary,
    PackagesUnread,
)
from diskwright.errors.output import (
    CatalogDamaged,
    DiskFull,
    OutputError,
    OutputNotWritable,
    output_error,
    writing,
)
from diskwright.errors.remote import (
    BucketMissing,
    NoCredentials,
    ObjectMissing,
    RemoteError,
    RemoteRefused,
    RemoteUnable,
    RemoteUnreachable,
)
from diskwright.errors.secret import (
    DataTampered,
    ImageNotSealed,
    KeyMissing,
    KeyRefused,
    KeyUnavailable,
    KeyUnreadable,
    SecretError,
)
from diskwright.errors.tool import (
    ConfinementUnavailable,
    ToolError,
    ToolFailed,
    ToolMissing,
    ToolStalled,
)
from diskwright.errors.usage import Cancelled, ObjectTooLarge, UsageError, ValidationFailed

__all__ = [
    "BucketMissing",
    "Cancelled",
    "CatalogDamaged",
    "ChangedMeanwhile",
    "ConfinementUnavailable",
    "ConflictError",
    "DataTampered",
    "DiskFull",
    "DiskwrightError",
    "FolderMissing",
    "FolderWithoutImages",
    "IllegalState",
    "ImageAmbiguous",
    "ImageBroken",
    "ImageInUse",
    "ImageNotFound",
    "ImageNotSealed",
    "ImageRefused",
    "ImageUnsafe",
    "ImageUnsupported",
    "InputError",
    "InputMissing",
    "InputNotAFile",
    "InputUnreadable",
    "KeyMissing",
    "KeyRefused",
    "KeyUnavailable",
    "KeyUnreadable",
    "Locked",
    "NameTaken",
    "NoCredentials",
    "NotALibrary",
    "NotShared",
    "ObjectMissing",
    "ObjectTooLarge",
    "OutputError",
    "OutputNotWritable",
    "PackagesUnread",
    "ReadOnlyImage",
    "RemoteError",
    "RemoteRefused",
    "RemoteUnable",
    "RemoteUnreachable",
    "SecretError",
    "ServerAmbiguous",
    "ServerNotFound",
    "SourceChanged",
    "TargetExists",
    "TooManyRecipients",
    "ToolError",
    "ToolFailed",
    "ToolMissing",
    "ToolStalled",
    "UsageError",
    "ValidationFailed",
    "output_error",
    "writing",
]

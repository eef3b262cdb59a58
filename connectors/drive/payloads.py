"""What the Drive API answers, as far as it is read here.

Source: https://developers.google.com/workspace/drive/api/reference/rest/v3
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"


Moment: TypeAlias = Annotated[
    datetime, AfterValidator(lambda found: found if found.tzinfo else found.replace(tzinfo=UTC))
]
"""A time; one without a zone is UTC."""


class _Payload(BaseModel):
    """Null is the same as absent, and a number as its digits: Drive leaves fields out, other servers do not."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:
        return (
            {key: value for key, value in values.items() if value is not None} if isinstance(values, dict) else values
        )


class User(_Payload):
    display_name: str = ""
    email_address: str = ""


class Permission(_Payload):
    """`view` is set where the permission is not for the file itself, but for a published or metadata view."""

    type: str = ""
    role: str = ""
    email_address: str | None = None
    domain: str | None = None
    allow_file_discovery: bool | None = None
    deleted: bool | None = None
    expiration_time: Moment | None = None
    view: str | None = None


class Shortcut(_Payload):
    target_id: str = ""
    target_mime_type: str = ""


class Capabilities(_Payload):
    can_download: bool | None = None


class File(_Payload):
    """A file or folder. `permissions` is None where the account may not share the file, and in shared drives;
    `permission_ids`, which stand for people and groups, are told there too."""

    id: str = Field(min_length=1)
    name: str = ""
    mime_type: str = ""
    size: int | None = None
    parents: tuple[str, ...] | None = None
    drive_id: str | None = None
    trashed: bool = False
    created_time: Moment | None = None
    modified_time: Moment | None = None
    version: str | None = None
    web_view_link: str | None = None
    owners: tuple[User, ...] | None = None
    last_modifying_user: User | None = None
    owned_by_me: bool | None = None
    shared_with_me_time: Moment | None = None
    shortcut_details: Shortcut | None = None
    capabilities: Capabilities | None = None
    permissions: tuple[Permission, ...] | None = None
    permission_ids: tuple[str, ...] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _without_what_is_no_value(cls, values: Any, read: ModelWrapValidatorHandler[File]) -> File:
        """A field with what cannot be its value is left out, so that one odd file does not cost a page of others."""
        try:
            return read(values)
        except ValidationError as error:
            wrong = {str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"]}
            if not isinstance(values, dict) or not wrong or "id" in wrong:
                raise
        return read({key: value for key, value in values.items() if key not in wrong})

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER


class Drive(_Payload):
    id: str = Field(min_length=1)
    name: str = ""


class Change(_Payload):
    """`file` is absent where the file is gone for the account."""

    change_type: str = "file"
    file_id: str | None = None
    removed: bool = False
    file: File | None = None


class FilePage(_Payload):
    """`incomplete_search`: Google did not search everything."""

    files: tuple[File, ...] = ()
    next_page_token: str | None = None
    incomplete_search: bool | None = None


class DrivePage(_Payload):
    drives: tuple[Drive, ...] = ()
    next_page_token: str | None = None


class PermissionPage(_Payload):
    permissions: tuple[Permission, ...] = ()
    next_page_token: str | None = None


class ChangePage(_Payload):
    """The last page has a `new_start_page_token` instead of a `next_page_token`."""

    changes: tuple[Change, ...] = ()
    next_page_token: str | None = None
    new_start_page_token: str | None = None


class Reply(_Payload):
    """`content` is empty where somebody only resolved or reopened a comment."""

    author: User | None = None
    content: str = ""
    deleted: bool = False


class Quoted(_Payload):
    value: str = ""


class Comment(Reply):
    """`quoted_file_content` is the passage that it is about."""

    resolved: bool = False
    quoted_file_content: Quoted | None = None
    replies: tuple[Reply, ...] = ()


class CommentPage(_Payload):
    comments: tuple[Comment, ...] = ()
    next_page_token: str | None = None


class Group(_Payload):
    email: str = ""


class GroupPage(_Payload):
    groups: tuple[Group, ...] = ()
    next_page_token: str | None = None


class Member(_Payload):
    """`status` is not told of people outside the organisation."""

    email: str = ""
    type: str = ""
    status: str = ""

    @property
    def is_person(self) -> bool:
        return bool(self.email) and self.type == "USER" and self.status in ("", "ACTIVE")


class MemberPage(_Payload):
    members: tuple[Member, ...] = ()
    next_page_token: str | None = None


class StartPageToken(_Payload):
    start_page_token: str


class WatchedChannel(_Payload):
    """`expiration` in milliseconds since 1970."""

    id: str = Field(min_length=1)
    resource_id: str = Field(min_length=1)
    expiration: int = 0


class About(_Payload):
    user: User = User()


PERMISSION_FIELDS = "type,role,emailAddress,domain,allowFileDiscovery,deleted,expirationTime,view"
FILE_FIELDS = (
    "id,name,mimeType,size,parents,driveId,trashed,createdTime,modifiedTime,version,webViewLink,"
    "owners(displayName,emailAddress),lastModifyingUser(displayName,emailAddress),ownedByMe,sharedWithMeTime,"
    f"shortcutDetails(targetId,targetMimeType),capabilities(canDownload),permissionIds,permissions({PERMISSION_FIELDS})"
)
COMMENT_FIELDS = (
    "author(displayName),content,deleted,resolved,quotedFileContent(value),replies(author(displayName),content,deleted)"
)

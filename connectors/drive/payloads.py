"""What the Drive, Directory and Sheets APIs answer, as far as it is read here.

Sources: https://developers.google.com/workspace/drive/api/reference/rest/v3
· https://developers.google.com/workspace/admin/directory/reference/rest/v1
· https://developers.google.com/workspace/sheets/api/reference/rest/v4
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic.alias_generators import to_camel

from connectors.paging import listed_items
from connectors.payloads import LenientPayload, Listed, Payload

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"

Moment: TypeAlias = Annotated[
    datetime, AfterValidator(lambda found: found if found.tzinfo else found.replace(tzinfo=UTC))
]
"""A time; one without a zone is UTC."""


class DrivePayload(Payload):
    """Google's fields are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class DrivePage(DrivePayload):
    """A page of a listing; the last one has no token of a next page."""

    next_page_token: str | None = None

    @property
    def named(self) -> tuple[object, ...] | None:
        """All that it lists, of whichever kind; None where the same may be listed more than once."""
        return listed_items(self)


class DriveUser(DrivePayload):
    display_name: str = ""
    email_address: str = ""


class PermissionDetail(DrivePayload):
    """Where a permission comes from; `inherited_from` is the id of an item above, told in shared drives only."""

    role: str = ""
    inherited: bool | None = None
    inherited_from: str | None = None


class DrivePermission(DrivePayload):
    """`id` stands for the person or group that has it, on whatever file, and is never given to another; an address is.
    `view` is set where the permission is not for the file itself, but for a published or metadata view."""

    id: str = ""
    type: str = ""
    role: str = ""
    email_address: str | None = None
    domain: str | None = None
    allow_file_discovery: bool | None = None
    deleted: bool | None = None
    expiration_time: Moment | None = None
    view: str | None = None
    permission_details: tuple[PermissionDetail, ...] | None = None


class ShortcutDetails(DrivePayload):
    target_id: str = ""
    target_mime_type: str = ""
    target_resource_key: str = ""


class FileCapabilities(DrivePayload):
    can_download: bool | None = None


class DriveFile(DrivePayload, LenientPayload):
    """A file or folder. `permissions` is None where the account may not share the file, and in shared drives;
    `permission_ids`, which stand for people and groups, are given there too. `inherited_permissions_disabled` marks a
    folder with limited access. `md5_checksum` is of the bytes of an upload; what Google's own editors make has none.
    `has_odd_permissions`: permissions were given, and not as documented."""

    id: str = Field(min_length=1)
    name: str = ""
    mime_type: str = ""
    size: int | None = None
    md5_checksum: str = ""
    parents: tuple[str, ...] | None = None
    drive_id: str | None = None
    trashed: bool = False
    created_time: Moment | None = None
    modified_time: Moment | None = None
    version: str | None = None
    web_view_link: str | None = None
    owners: tuple[DriveUser, ...] | None = None
    last_modifying_user: DriveUser | None = None
    owned_by_me: bool | None = None
    shared_with_me_time: Moment | None = None
    shortcut_details: ShortcutDetails | None = None
    capabilities: FileCapabilities | None = None
    permissions: tuple[DrivePermission, ...] | None = None
    permission_ids: tuple[str, ...] | None = None
    inherited_permissions_disabled: bool | None = None
    resource_key: str = ""
    _odd: frozenset[str] = PrivateAttr(frozenset())

    @property
    def has_odd_permissions(self) -> bool:
        return "permissions" in self._odd

    def _note_fault(self, error: ValidationError) -> None:
        self._odd = frozenset(str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"])

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER


class DriveRestrictions(DrivePayload):
    domain_users_only: bool = False
    drive_members_only: bool = False


class SharedDrive(DrivePayload):
    id: str = Field(min_length=1)
    name: str = ""
    restrictions: DriveRestrictions = DriveRestrictions()


class DriveChange(DrivePayload):
    """`file` is absent where the file is gone for the account."""

    change_type: str = "file"
    file_id: str | None = None
    removed: bool = False
    file: DriveFile | None = None


class FilePage(DrivePage):
    """`incomplete_search`: Google did not search everything."""

    files: tuple[DriveFile, ...]
    incomplete_search: bool | None = None


class SharedDrivePage(DrivePage):
    drives: tuple[SharedDrive, ...]


class PermissionPage(DrivePage):
    permissions: tuple[DrivePermission, ...]


class PermissionId(DrivePayload):
    """Of the person or group that has an address now."""

    id: str = Field(min_length=1)


class ChangePage(DrivePage):
    """The last page has a `new_start_page_token` instead of a `next_page_token`."""

    changes: tuple[DriveChange, ...]
    new_start_page_token: str | None = None

    @property
    def named(self) -> None:
        """Each change of a file shows the file as it is now."""


class DriveReply(DrivePayload):
    """`content` is empty where somebody only resolved or reopened a comment."""

    author: DriveUser | None = None
    content: str = ""
    deleted: bool = False


class QuotedPassage(DrivePayload):
    value: str = ""


class DriveComment(DriveReply):
    """`quoted_file_content` is the passage that it is about."""

    resolved: bool = False
    quoted_file_content: QuotedPassage | None = None
    replies: tuple[DriveReply, ...] = ()


class DriveCommentPage(DrivePage):
    comments: tuple[DriveComment, ...]


class DirectoryGroup(DrivePayload):
    """`id` is never given to another group; `email` is."""

    id: str = Field(min_length=1)
    email: str = ""


class DirectoryGroupPage(DrivePage):
    groups: Listed[DirectoryGroup] = ()


class DirectoryUser(DrivePayload):
    """`id` is never given to anybody else."""

    id: str = Field(min_length=1)
    primary_email: str = ""
    suspended: bool = False
    archived: bool = False


class DirectoryUserPage(DrivePage):
    users: Listed[DirectoryUser] = ()


class DirectoryMember(DrivePayload):
    """`status` is not given for people outside the organisation. `id` of a person is that of `DirectoryUser`."""

    id: str = ""
    email: str = ""
    type: str = ""
    status: str = ""

    @property
    def is_person(self) -> bool:
        return bool(self.email) and self.type == "USER" and self.status in ("", "ACTIVE")


class DirectoryMemberPage(DrivePage):
    members: Listed[DirectoryMember] = ()


class StartPageToken(DrivePayload):
    start_page_token: str


class ChannelRequest(DrivePayload):
    """A push channel to open: `token` comes back with each notification, `expiration` is in milliseconds since 1970."""

    id: str
    type: str = "web_hook"
    address: str
    token: str
    expiration: int


class ChannelResponse(DrivePayload):
    """`expiration` in milliseconds since 1970."""

    id: str = Field(min_length=1)
    resource_id: str = Field(min_length=1)
    expiration: int = 0


class GridProperties(DrivePayload):
    row_count: int = 0
    column_count: int = 0


class SheetProperties(DrivePayload):
    """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets#SheetProperties"""

    title: str = ""
    grid_properties: GridProperties = GridProperties()
    """Without rows for a sheet that is no grid, but a chart."""


class Sheet(DrivePayload):
    properties: SheetProperties


class Spreadsheet(DrivePayload):
    sheets: tuple[Sheet, ...]


class ValueRange(DrivePayload):
    """Rows without their empty ends."""

    values: Listed[tuple[str, ...]] = ()


class ValueRanges(DrivePayload):
    value_ranges: tuple[ValueRange, ...]


class About(DrivePayload):
    user: DriveUser = DriveUser()


class ErrorReason(DrivePayload, LenientPayload):
    reason: str = ""


class ErrorReasons(DrivePayload, LenientPayload):
    errors: tuple[ErrorReason, ...] = ()
    details: tuple[ErrorReason, ...] = ()


class ErrorResponse(DrivePayload):
    """Google's newer errors have their reasons in `details`.

    https://developers.google.com/workspace/drive/api/guides/handle-errors
    """

    error: ErrorReasons = ErrorReasons()


PERMISSION_FIELDS = (
    "id,type,role,emailAddress,domain,allowFileDiscovery,deleted,expirationTime,view,"
    "permissionDetails(role,inherited,inheritedFrom)"
)
DRIVE_FIELDS = "id,name,restrictions(domainUsersOnly,driveMembersOnly)"
FILE_FIELDS = (
    "id,name,mimeType,size,parents,driveId,trashed,createdTime,modifiedTime,version,webViewLink,"
    "owners(displayName,emailAddress),lastModifyingUser(displayName,emailAddress),ownedByMe,sharedWithMeTime,"
    "shortcutDetails(targetId,targetMimeType),capabilities(canDownload),permissionIds,"
    f"permissions({PERMISSION_FIELDS})"
)
NEWER_FIELDS = ("inheritedPermissionsDisabled", "resourceKey", "targetResourceKey", "md5Checksum")
"""Of a folder that shuts out whom it would inherit, of what old links lead to, and of the bytes of an upload: not every
server that speaks for Drive has them."""
ALL_FILE_FIELDS = (
    FILE_FIELDS.replace("targetMimeType", "targetMimeType,targetResourceKey")
    + ",inheritedPermissionsDisabled,resourceKey,md5Checksum"
)
COMMENT_FIELDS = (
    "author(displayName),content,deleted,resolved,quotedFileContent(value),replies(author(displayName),content,deleted)"
)

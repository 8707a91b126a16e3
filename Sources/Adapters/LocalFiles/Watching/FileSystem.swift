import CLinux

/// What kind of file system holds a path.
struct FileSystem {
  private let type: UInt64

  init(of path: String) { type = clinux_filesystem_type(path) }

  /// The name of a file system whose contents other machines may change; nil for a local one.
  var remoteName: String? { Self.remote[type] }

  /// Whether an inode's number stays the file's own: not where it is made up, as for lack of any on the disk.
  var hasLastingInodes: Bool { type != 0 && Self.remote[type] == nil && !Self.withoutInodes.contains(type) }

  /// Source: statfs(2) and linux/magic.h.
  private static let remote: [UInt64: String] = [
    0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x517B: "SMB", 0x0102_1997: "9P", 0x00C3_6400: "Ceph",
    0x6573_5546: "FUSE", 0x5346_414F: "AFS", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS", 0x0116_1970: "GFS2",
  ]

  /// FAT, exFAT, the two of NTFS.
  private static let withoutInodes: Set<UInt64> = [0x4D44, 0x2011_BAB0, 0x5346_544E, 0x7366_746E]
}

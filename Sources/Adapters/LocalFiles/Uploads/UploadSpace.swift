import Concurrency
import Core
import Glibc

/// How much disk uploads use and may use.
final class UploadSpace: Sendable {
  private struct State {
    /// Bytes of all contents; nil until they were counted.
    var kept: Int?
    /// Bytes that have arrived and are not kept yet.
    var arriving = 0
  }

  /// What an upload of a known length leaves free on the disk, for the index.
  private static let reserve = 64 << 20

  private let layout: UploadLayout
  private let maximumBytes: Int
  private let state = Locked(State())

  init(layout: UploadLayout, maximumBytes: Int) {
    self.layout = layout
    self.maximumBytes = maximumBytes
  }

  /// Refuses `count` more bytes that would not fit. Blocks.
  func check(_ count: Int) throws(LocalFilesError) {
    try checkLimit(count)
    var status = statvfs()
    guard count > 0, statvfs(layout.incoming, &status) == 0 else { return }
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    guard count <= free - Self.reserve else {
      throw LocalFilesError(
        "disk.full", .storageFull,
        "there is no room for \(count) bytes in \(LocalFilesError.quoted(layout.directory)): \(max(0, free)) are free",
        remedy: "Free space on that disk.")
    }
  }

  private func checkLimit(_ count: Int) throws(LocalFilesError) {
    func fits(_ kept: Int) -> Bool { kept + state.withLock { $0.arriving } + count <= maximumBytes }
    if let kept = state.withLock({ $0.kept }), fits(kept) { return }
    // Counted anew before anything is refused: another process may have deleted documents.
    let kept = try countContents()
    state.withLock { $0.kept = kept }
    guard fits(kept) else {
      throw LocalFilesError(
        "upload.space_used", .storageFull,
        "uploads use \(kept) of the \(maximumBytes) bytes that they may use together",
        remedy: "Delete documents, or raise uploads.maximumBytes.")
    }
  }

  private func countContents() throws(LocalFilesError) -> Int {
    var total = 0
    for folder in try UploadLayout.names(in: layout.contents) {
      for name in try UploadLayout.names(in: layout.contents + "/" + folder) {
        var status = stat()
        if stat(layout.contents + "/" + folder + "/" + name, &status) == 0 { total += Int(status.st_size) }
      }
    }
    return total
  }

  /// Counts bytes that are about to be written.
  /// - Throws: `upload.space_used`.
  func arrive(_ count: Int) throws(LocalFilesError) {
    try checkLimit(count)
    state.withLock { $0.arriving += count }
  }

  /// An upload of so many bytes has ended; `added` of them are kept that were not before.
  func end(_ count: Int, added: Int) {
    state.withLock { state in
      state.arriving -= count
      state.kept = state.kept.map { $0 + added }
    }
  }

  /// Deletes a content that no document links to. Called under the layout's lock.
  func deleteUnused(_ version: ContentVersion) throws(LocalFilesError) {
    let path = layout.content(version)
    var status = stat()
    guard stat(path, &status) == 0, status.st_nlink == 1 else { return }
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("delete", path, errno: errno) }
    state.withLock { state in state.kept = state.kept.map { max(0, $0 - Int(status.st_size)) } }
  }
}

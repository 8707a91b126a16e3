import Core
import Glibc

/// Changes that are ready to be taken, however long that takes: a later change of the same file replaces the earlier.
struct ReadyChanges {
  /// What a look at pending changes found.
  struct Found {
    var present: [SourceObject] = []
    var gone: [SourceURI] = []
    var rootStamp: String?
    var needsListing = false
    /// Files that are not as they should be, with the stamp they have now.
    var again: [(uri: SourceURI, file: PendingChanges.File, stamp: String)] = []

    init(_ ready: PendingChanges.Ready, in place: DirectoryPlace) {
      guard !ready.files.isEmpty || !ready.gone.isEmpty || ready.needsListing else { return }
      rootStamp = place.rootStamp
      needsListing = ready.needsListing || rootStamp == nil
      // With the root gone nothing below tells anything; the listing finds out what is so.
      if needsListing { return }
      for uri in ready.gone { look(atGone: uri) }
      for (uri, file) in ready.files { look(at: uri, file, in: place) }
    }

    private mutating func look(atGone uri: SourceURI) {
      var status = stat()
      guard let path = uri.filePath else { return }
      if lstat(path, &status) != 0 {
        if errno == ENOENT || errno == ENOTDIR { gone.append(uri) } else { needsListing = true }
      } else if status.st_mode & S_IFMT != S_IFREG {
        // A folder of that name came back: what it had and has not any more only a listing tells.
        needsListing = true
      }
    }

    private mutating func look(at uri: SourceURI, _ file: PendingChanges.File, in place: DirectoryPlace) {
      guard let path = uri.filePath else { return }
      do {
        guard let object = try place.object(path) else {
          gone.append(uri)
          return
        }
        let isSame = file.due == nil || file.stamp == object.stamp
        if isSame { present.append(object) } else { again.append((uri, file, object.stamp)) }
      } catch {
        // What cannot be looked at is neither there nor gone.
        needsListing = true
      }
    }
  }

  private var present: [SourceURI: SourceObject] = [:]
  private var gone: Set<SourceURI> = []
  private var rootStamp: String?
  private var needsListing = false
  private var isNew = false
  var shortfall: NoticeShortfall? {
    didSet { if shortfall != nil { isNew = true } }
  }

  mutating func add(_ found: Found, limit: Int) {
    guard !found.present.isEmpty || !found.gone.isEmpty || found.needsListing else { return }
    isNew = true
    rootStamp = found.rootStamp
    needsListing = needsListing || found.needsListing
    for uri in found.gone {
      let below = uri.rawValue + "/"
      for known in present.keys where known == uri || known.rawValue.utf8.starts(with: below.utf8) {
        present[known] = nil
      }
      gone.insert(uri)
    }
    for object in found.present { present[object.uri] = object }
    if needsListing || present.count + gone.count > limit {
      needsListing = true
      present = [:]
      gone = []
    }
  }

  /// Whether something came since the last call.
  mutating func hasNews() -> Bool {
    defer { isNew = false }
    return isNew
  }

  /// Takes everything out; nil when there is nothing.
  mutating func take() -> SourceChanges? {
    guard !present.isEmpty || !gone.isEmpty || needsListing || shortfall != nil else { return nil }
    let changes = SourceChanges(
      present: present.values.sorted { $0.uri < $1.uri }, gone: gone.sorted(), rootStamp: rootStamp,
      needsListing: needsListing, shortfall: shortfall)
    self = ReadyChanges()
    return changes
  }
}

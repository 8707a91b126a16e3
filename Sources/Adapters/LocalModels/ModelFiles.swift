import Core
import Cryptography
import Glibc

/// The files of the built-in embedding model, all-MiniLM-L6-v2, as `scripts/fetch-model` installs them.
///
/// The script hashes each file in full and writes a stamp with its hash, size, time of change and inode; each
/// start compares only those, in microseconds.
public struct ModelFiles: Sendable {
  /// The model's name in embedding identities and paths.
  public static let model = "all-MiniLM-L6-v2"

  /// SHA-256 of each file; the same table is in `scripts/fetch-model`.
  package static let digests: [(file: String, sha256: String)] = [
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
  ]
  private static let stampHeader = "quarry-model 1"

  /// Where they are.
  public let directory: String

  /// Names the files in `directory`; nothing is read yet.
  public init(directory: String) {
    self.directory = directory
  }

  /// `${XDG_CACHE_HOME:-~/.cache}/quarry/models/all-MiniLM-L6-v2`.
  public static func defaultDirectory(environment: [String: String]) -> String {
    // The XDG Base Directory Specification says that a relative path is to be ignored.
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return "\(cache)/quarry/models/\(model)" }
    let home = environment["HOME"] ?? getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "/"
    return "\(home)/.cache/quarry/models/\(model)"
  }

  /// Whether the model is there at all; it may still be wrong.
  public var isPresent: Bool {
    access(directory + "/stamp", R_OK) == 0
  }

  /// Opens the files and compares them with the stamp.
  /// - Throws: ``LocalModelsError`` with code `model.missing` or `model.changed`, whose remedy is the command to
  ///   run, or `model.unreadable`.
  package func open() throws(LocalModelsError) -> [String: MappedFile] {
    let expected = try stamp()
    var files: [String: MappedFile] = [:]
    for (name, digest) in Self.digests {
      let file = try MappedFile(name: name, directory: directory)
      guard let entry = expected[name] else { throw .changed("stamp", "does not mention \(name)") }
      guard entry.sha256 == digest else { throw .changed(name, "is of another version than this Quarry expects") }
      guard entry.fingerprint == file.fingerprint else { throw .changed(name, "has changed since it was checked") }
      files[name] = file
    }
    return files
  }

  /// Hashes the files in full, which takes some 100 ms: what set-up did, for whoever doubts the disk.
  /// - Throws: ``LocalModelsError``, as a start does.
  public func verify() throws(LocalModelsError) {
    for (name, digest) in Self.digests {
      let file = try MappedFile(name: name, directory: directory)
      var hash = SHA256()
      hash.update(file.bytes)
      guard hash.finalize().hexadecimal == digest else { throw .changed(name, "has the wrong SHA-256") }
    }
  }

  private struct StampEntry {
    let sha256: String
    let fingerprint: MappedFile.Fingerprint
  }

  private func stamp() throws(LocalModelsError) -> [String: StampEntry] {
    let file: MappedFile
    do {
      file = try MappedFile(name: "stamp", directory: directory)
    } catch {
      // Say that the model is missing when it is; a model without a stamp was never checked.
      if access(directory + "/model.safetensors", F_OK) != 0 { throw .missing("model.safetensors", in: directory) }
      throw error.code == "model.missing" ? .changed("stamp", "is missing: the files were never checked") : error
    }
    guard file.count < 1 << 16 else { throw .changed("stamp", "is not one that `scripts/fetch-model` wrote") }
    let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
    guard lines.first.map(String.init) == Self.stampHeader else {
      throw .changed("stamp", "is not one that `scripts/fetch-model` wrote")
    }
    var entries: [String: StampEntry] = [:]
    for line in lines.dropFirst() {
      let fields = line.split(separator: " ")
      guard fields.count == 5, let size = Int(fields[2]), let time = Int64(fields[3]), let inode = UInt64(fields[4])
      else { throw .changed("stamp", "is not one that `scripts/fetch-model` wrote") }
      entries[String(fields[0])] = StampEntry(
        sha256: String(fields[1]),
        fingerprint: .init(byteCount: size, modificationNanoseconds: time, inode: inode))
    }
    return entries
  }
}

import AWS
import Configuration
import Core
public import LocalFiles
public import Telemetry

extension Settings {
  /// Where events go.
  public enum EventTarget: String, Sendable, CaseIterable {
    /// A directory.
    case directory
    /// Objects of S3.
    case s3
    /// A Firehose stream.
    case firehose
  }

  /// The event log.
  public struct Events: Sendable {
    /// Whether events are recorded.
    public var isEnabled: Bool
    /// Where they go.
    public var targets: Set<EventTarget>
    /// The directory they go to.
    public var directory: String
    /// Most bytes kept there; the oldest hours are deleted beyond that.
    public var maximumBytes: Int
    /// Bucket and prefix of S3, as a URI.
    public var s3: String
    /// The Firehose stream.
    public var stream: String
    /// Whether vectors go by themselves too.
    public var hasVectorStreams: Bool
    /// Bounds of what waits on this machine for each target beyond it.
    public var spool: EventSpool.Limits
    /// The longest that the end of a process waits for what is in the spool.
    public var flushTime: Duration
    /// What is taken out before writing.
    public var redaction: Redaction
  }
}

extension Settings.Events {
  init(_ reader: ConfigurationReader, dataDirectory: String) {
    isEnabled = reader.value("enabled", .bool, default: true, doc: "Whether answers and embeddings are recorded.")
    targets = Set(
      reader.value(
        "targets", .list(of: .oneOf(Settings.EventTarget.self)), default: [.directory],
        doc: "Where events go: `directory`, `s3` (objects of a bucket) and `firehose` (a stream)."))
    directory = reader.value(
      "directory", .nonEmptyString, default: "\(dataDirectory)/archive", doc: "The directory of the event log.")
    maximumBytes = reader.value(
      "maximumBytes", .byteSize(in: 0...(1 << 50)), default: 20 << 30,
      doc: "Most bytes of events kept in the directory: the oldest hours are deleted beyond that; 0 keeps everything.")
    s3 =
      reader.optional(
        "s3.uri", .nonEmptyString, doc: "The bucket and prefix of `s3`: `s3://bucket/prefix`.") ?? ""
    stream = reader.optional("firehose.stream", .nonEmptyString, doc: "The name of the stream of `firehose`.") ?? ""
    hasVectorStreams = reader.value(
      "vectors", .bool, default: false,
      doc: "Whether vectors go by themselves too, one JSON array a line, to `promptarchive/<app>` and "
        + "`embeddingarchive/<app>` of the directory and the bucket.")
    let spool = reader.nested("spool")
    self.spool = EventSpool.Limits(
      maximumBytes: spool.value(
        "maximumBytes", .byteSize(in: (1 << 20)...(1 << 46)), default: 1 << 30,
        doc:
          "Most bytes that wait on this machine for `s3`, and as many for `firehose`; beyond that events are dropped "
          + "there and counted."),
      fileBytes: spool.value(
        "fileBytes", .byteSize(in: 1024...(1 << 32)), default: 16 << 20,
        doc: "Bytes (compressed) at which a file is sent; larger ones go to S3 in parts."),
      fileAge: spool.value(
        "fileAge", .duration(in: .seconds(1) ... .seconds(3600)), default: .seconds(60),
        doc: "The age at which a file is sent."))
    flushTime = spool.value(
      "flushTime", .duration(in: .zero ... .seconds(600)), default: .seconds(2),
      doc: "The longest that the end of a command waits for events to be sent; what is left is sent by the next one.")
    redaction = Redaction(reader.nested("redact"))
    if isEnabled, targets.contains(.s3), S3Location(SourceURI(rawValue: s3)) == nil {
      reader.reject("s3.uri", "must be s3://bucket or s3://bucket/prefix for the target s3")
    }
    if isEnabled, targets.contains(.firehose), stream.isEmpty {
      reader.reject("firehose.stream", "must name the stream of the target firehose")
    }
  }
}

extension Redaction {
  fileprivate init(_ reader: ConfigurationReader) {
    let fields = reader.value(
      "fields", .list(of: .oneOf(RedactedField.self)), default: [],
      doc: "Fields taken out of events before they are written.")
    let presets = RedactionPattern.Preset.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    let patterns = reader.list(
      "patterns", shorthand: "name", doc: "What is taken out of every text of events before they are written."
    ) { item -> RedactionPattern? in
      let name = item.required(
        "name", .nonEmptyString, doc: "What the mark names: \(presets), or a name of your own with a `pattern`.")
      let pattern = item.optional("pattern", .nonEmptyString, doc: "The regular expression, in PCRE2's syntax.")
      guard let pattern else {
        if let preset = RedactionPattern.Preset(rawValue: name) { return RedactionPattern(preset) }
        if !name.isEmpty { item.reject("name", "is none of \(presets), and has no pattern") }
        return nil
      }
      do {
        return try RedactionPattern(name: name, pattern: pattern)
      } catch {
        item.reject("pattern", "is no regular expression: \(error)")
        return nil
      }
    }
    self.init(fields: Set(fields), patterns: patterns.compactMap { $0 })
  }
}

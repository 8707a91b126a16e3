public import Core
public import FoundationEssentials

/// Times of events and log lines: RFC 3339 in UTC with milliseconds, such as `2026-01-31T23:59:59.123Z`.
public enum EventTime {
  /// Formats a time, rounded to the nearest millisecond.
  public static func format(_ date: Date) -> String {
    // Foundation cuts fractions off, so that most milliseconds, being a little less in binary, would come out one
    // too low.
    let milliseconds = milliseconds(date)
    let fraction = (milliseconds % 1000 + 1000) % 1000
    let second = (milliseconds - fraction) / 1000
    let text = Date(timeIntervalSince1970: Double(second)).formatted(Date.ISO8601FormatStyle())
    return text.dropLast() + "." + String(1000 + fraction).dropFirst() + "Z"
  }

  /// Reads a time with or without fractional seconds; nil when malformed. What ``format(_:)`` wrote gives
  /// the same time as ``rounded(_:)``.
  public static func parse(_ text: String) -> Date? {
    ((try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
      ?? (try? Date.ISO8601FormatStyle().parse(text))).map(rounded)
  }

  /// The time that is read when `date` was written: the nearest millisecond.
  public static func rounded(_ date: Date) -> Date {
    Date(timeIntervalSince1970: Double(milliseconds(date)) / 1000)
  }

  private static func milliseconds(_ date: Date) -> Int64 {
    // Ten thousand years, far within the range of the type; a date may be infinite or not a number at all.
    let seconds = date.timeIntervalSince1970
    return seconds.isNaN ? 0 : Int64((min(max(seconds, -62_135_596_800), 253_402_300_799) * 1000).rounded())
  }
}

/// Events as JSON lines: the envelope's keys and the payload's keys in one flat object, all in snake_case.
public enum EventCoding {
  /// One line, without its line end.
  public static func encode(_ event: Event) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .custom { path in Key(snakeCase(path[path.count - 1].stringValue)) }
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(EventTime.format(date))
    }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: Self.infinity, negativeInfinity: "-" + Self.infinity, nan: Self.notANumber)
    return [UInt8](try encoder.encode(Line(event: event)))
  }

  /// Reads one line. Unknown keys are ignored, so that a newer minor schema can be read.
  /// - Throws: `DecodingError` when the line is not an event, or its schema version is newer than this Quarry's.
  public static func decode(_ line: some Sequence<UInt8>) throws -> Event {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .custom { path in Key(camelCase(path[path.count - 1].stringValue)) }
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      guard let date = EventTime.parse(try container.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time")
      }
      return date
    }
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: Self.infinity, negativeInfinity: "-" + Self.infinity, nan: Self.notANumber)
    return try decoder.decode(Line.self, from: Data(line)).event
  }

  // JSON has no such numbers. A defect in a model must not cost the whole event, so they are written as the strings
  // that Java (Athena), Python and JavaScript read as floating-point numbers.
  private static let infinity = "Infinity"
  private static let notANumber = "NaN"

  /// `eventID` → `event_id`, `topP` → `top_p`.
  static func snakeCase(_ name: String) -> String {
    var result = ""
    var previousWasUpper = true
    for character in name {
      if character.isUppercase {
        if !previousWasUpper { result.append("_") }
        result.append(contentsOf: character.lowercased())
        previousWasUpper = true
      } else {
        result.append(character)
        previousWasUpper = false
      }
    }
    return result
  }

  /// `event_id` → `eventID`, `top_p` → `topP`.
  static func camelCase(_ name: String) -> String {
    let words = name.split(separator: "_")
    guard words.count > 1 else { return name }
    return words.enumerated().map { index, word in
      if index == 0 { return String(word) }
      return word == "id" ? "ID" : word.prefix(1).uppercased() + word.dropFirst()
    }.joined()
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Line: Codable {
    let event: Event

    enum CodingKeys: String, CodingKey {
      case schemaVersion, eventID, time, type, answerID, traceID, app, environment, quarryVersion, trafficKind,
        caller, collection, redacted
    }

    init(event: Event) { self.event = event }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(event.schemaVersion, forKey: .schemaVersion)
      try container.encode(event.eventID, forKey: .eventID)
      try container.encode(event.time, forKey: .time)
      try container.encode(event.payload.kind, forKey: .type)
      try container.encodeIfPresent(event.answerID, forKey: .answerID)
      try container.encode(event.traceID, forKey: .traceID)
      try container.encode(event.app, forKey: .app)
      try container.encode(event.environment, forKey: .environment)
      try container.encode(event.quarryVersion, forKey: .quarryVersion)
      try container.encode(event.traffic, forKey: .trafficKind)
      try container.encodeIfPresent(event.caller, forKey: .caller)
      try container.encodeIfPresent(event.collection, forKey: .collection)
      if !event.redacted.isEmpty { try container.encode(event.redacted, forKey: .redacted) }
      switch event.payload {
      case .answer(let payload): try payload.encode(to: encoder)
      case .feedback(let payload): try payload.encode(to: encoder)
      case .evaluation(let payload): try payload.encode(to: encoder)
      case .embedding(let payload): try payload.encode(to: encoder)
      case .tombstone(let payload): try payload.encode(to: encoder)
      }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
      guard schemaVersion <= Event.currentSchemaVersion else {
        throw DecodingError.dataCorruptedError(
          forKey: .schemaVersion, in: container, debugDescription: "schema version \(schemaVersion) is newer")
      }
      let payload: EventPayload =
        switch try container.decode(EventKind.self, forKey: .type) {
        case .answer: .answer(try AnswerEvent(from: decoder))
        case .feedback: .feedback(try FeedbackEvent(from: decoder))
        case .evaluation: .evaluation(try EvaluationEvent(from: decoder))
        case .embedding: .embedding(try EmbeddingEvent(from: decoder))
        case .tombstone: .tombstone(try TombstoneEvent(from: decoder))
        }
      event = Event(
        schemaVersion: schemaVersion, eventID: try container.decode(String.self, forKey: .eventID),
        time: try container.decode(Date.self, forKey: .time),
        answerID: try container.decodeIfPresent(AnswerID.self, forKey: .answerID),
        traceID: try container.decode(TraceID.self, forKey: .traceID),
        app: try container.decode(String.self, forKey: .app),
        environment: try container.decode(String.self, forKey: .environment),
        quarryVersion: try container.decode(String.self, forKey: .quarryVersion),
        traffic: try container.decode(TrafficKind.self, forKey: .trafficKind),
        caller: try container.decodeIfPresent(String.self, forKey: .caller),
        collection: try container.decodeIfPresent(CollectionName.self, forKey: .collection), payload: payload,
        redacted: try container.decodeIfPresent([String].self, forKey: .redacted) ?? [])
    }
  }
}

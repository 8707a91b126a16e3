import Core
import QuarryTesting
import Testing

@testable import Telemetry

@Suite struct RedactionPatternTests {
  private func scrub(_ preset: RedactionPattern.Preset, _ text: String) -> String {
    RedactionPattern(preset).scrubbed(text) ?? text
  }

  @Test(arguments: RedactionPattern.Preset.allCases) func everyPresetCompiles(preset: RedactionPattern.Preset) {
    #expect(RedactionPattern(preset).name == preset.rawValue)
  }

  @Test(
    arguments: [
      (.email, "ask Jörg.Müller+x@bücher.example.org, or a@b.", "ask [redacted:email], or a@b."),
      (.phone, "call +49 (30) 901820-15 or 030/1234567 now", "call [redacted:phone] or [redacted:phone] now"),
      (.phone, "in 2019-2024, page 0042, version 10.2.33", "in 2019-2024, page 0042, version 10.2.33"),
      (.creditCard, "card 4111 1111 1111 1111 12/26", "card [redacted:credit_card] 12/26"),
      (.creditCard, "1 5500-0000-0000-0004, 4111111111111111.", "1 [redacted:credit_card], [redacted:credit_card]."),
      (
        .creditCard, "4111 1111 1111 1111 5500 0000 0000 0004",
        "[redacted:credit_card] [redacted:credit_card]"
      ),
      (.creditCard, "order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
      (.iban, "to DE89 3704 0044 0532 0130 00 SENT", "to [redacted:iban] SENT"),
      (.iban, "GB82WEST12345698765432 IS", "[redacted:iban] IS"),
      (.iban, "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
      (.awsKey, "id AKIAIOSFODNN7EXAMPLE.", "id [redacted:aws_key]."),
      (
        .awsKey, "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = [redacted:aws_key]"
      ),
      (.ipAddress, "from 10.0.0.255 to 1.2.3 and 300.1.1.1", "from [redacted:ip_address] to 1.2.3 and 300.1.1.1"),
    ] as [(RedactionPattern.Preset, String, String)])
  func takesOutWhatItNames_andNothingElse(preset: RedactionPattern.Preset, text: String, expected: String) {
    #expect(scrub(preset, text) == expected)
  }

  @Test func aTextThatIsTooCostlyIsTakenOutWhole() throws {
    let pattern = try RedactionPattern(name: "slow", pattern: "(a+)+$")
    #expect(pattern.scrubbed(String(repeating: "a", count: 60) + "b") == "[redacted:slow]")
    #expect(pattern.scrubbed("b") == nil)
  }

  @Test func everyTextOfAnAnswerIsSearched_andNamed() throws {
    let secret = "TOP-SECRET-77"
    var answer = Sample.answerEvent(question: "Is \(secret) here?")
    answer.conversationID = ConversationID(rawValue: secret)
    answer.rewrittenQuestion = "Is \(secret) in the hall?"
    answer.answer = "Yes, \(secret)."
    answer.sentences?[0].missing = ["SECRET-77"]
    answer.prompt?.system = secret
    answer.prompt?.turns = [Turn(role: .user, text: secret)]
    answer.prompt?.parameters.stop = [secret]
    answer.citations[0].quote = "\(secret) \(secret)"
    answer.passages[0].documentName = "\(secret).pdf"
    answer.retrievalParameters = ["filter": secret]
    answer.gateLabels = [secret]
    answer.experimentID = secret
    let rules = Redaction(patterns: [try RedactionPattern(name: "code", pattern: #"TOP-SECRET-\d+"#)])
    let event = Sample.event(.answer(answer)).redacting(rules)
    let line = String(decoding: try EventCoding.encode(event), as: UTF8.self)
    #expect(!line.contains("SECRET"), "\(line)")
    #expect(!line.contains("question_embedding\":"), "a vector of a text that was redacted must go")
    #expect(line.contains("[redacted:code] [redacted:code]"))
    #expect(
      Set(event.redacted) == [
        "question", "rewritten_question", "question_embedding", "answer", "sentences.missing", "prompt.system",
        "prompt.turns",
        "prompt.parameters.stop", "citations.quote", "passages.document_name", "retrieval_parameters", "gate_labels",
        "experiment_id", "conversation_id",
      ])
    let feedback = Sample.event(.feedback(FeedbackEvent(rating: 1, comment: secret))).redacting(rules)
    #expect(feedback.redacted == ["comment"])
    let score = EvaluationEvent(name: "n", score: 1, label: secret, judge: "j", explanation: secret)
    #expect(Sample.event(.evaluation(score)).redacting(rules).redacted == ["explanation", "label"])
  }

  @Test func anEventWithoutAMatchStaysAsItIs() throws {
    let rules = Redaction(patterns: RedactionPattern.Preset.allCases.map { RedactionPattern($0) })
    for event in Sample.eventsOfEveryKind { #expect(event.redacting(rules) == event) }
  }
}

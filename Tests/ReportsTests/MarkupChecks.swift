import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The elements of an XML document with their attributes and text; nil where it is not well-formed.
func parsedXML(_ text: String) -> [(name: String, attributes: [String: String], text: String)]? {
    final class Collector: NSObject, XMLParserDelegate {
        var elements: [(name: String, attributes: [String: String], text: String)] = []
        private var open: [Int] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(elements.count)
            elements.append((name, attributes, ""))
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) {
            if let last = open.last { elements[last].text += string }
        }

        func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
            open.removeLast()
        }
    }
    let parser = XMLParser(data: Data(text.utf8))
    let collector = Collector()
    parser.delegate = collector
    return parser.parse() ? collector.elements : nil
}

/// An HTML page of ours as XML: its doctype gone and its void elements closed.
func parsedHTML(_ text: String) -> [(name: String, attributes: [String: String], text: String)]? {
    var xml = text.replacingOccurrences(of: "<!DOCTYPE html>\n", with: "")
    for name in ["meta", "img"] {
        xml = xml.replacingOccurrences(
            of: "(<\(name) [^>]*)>", with: "$1/>", options: .regularExpression)
    }
    return parsedXML(xml)
}

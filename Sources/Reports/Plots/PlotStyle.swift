/// Colours and marks of the plots.
///
/// The eight series colours derive from Okabe and Ito's set, which stays distinct under the common colour-vision
/// deficiencies; from the fifth series on lines are dashed as well. Plain colours and no CSS variables, since many SVG
/// viewers outside browsers know none.
public enum PlotStyle {
    private static let light = ["0072b2", "d55e00", "009e73", "a64d8f", "b98900", "6650c4", "6e7781", "7a3b12"]
    private static let dark = ["58b0ec", "ff8f4d", "2fd0a0", "e59bcb", "f0c445", "b3a1ff", "a3adb8", "d9a47f"]
    private static let dashes = ["7 4", "2 3", "9 3 2 3", "5 2"]

    /// The style sheet that every plot needs once on its page.
    public static let css: String = {
        let shared = """
            .plot{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;\
            font-variant-numeric:tabular-nums}
            .plot .ti{font-weight:600;font-size:115%}
            .plot .ax{stroke-width:1;fill:none}
            .plot .gr{stroke-width:1;fill:none}
            .plot .ln{stroke:currentColor;stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}
            .plot .fi{stroke-width:1.3}
            .plot .bd{fill:currentColor;opacity:.17}
            .plot .mk{fill:currentColor;stroke-width:1.2}
            .plot .ba{fill:currentColor}
            .plot .pa{fill:currentColor;opacity:.28}
            .plot .in{fill:#111}
            .plot .iv{fill:#fff}
            .plot .la{stroke-width:3.5px;stroke-linejoin:round;paint-order:stroke}
            .plot .cb{shape-rendering:crispEdges}
            .plot .nd{fill:none;stroke-dasharray:4 4}

            """
        let lightInk = ink(text: "1f2328", muted: "57606a", grid: "e6e9ed", axis: "8c959f", ground: "ffffff")
        let darkInk = ink(text: "e6edf3", muted: "9aa4af", grid: "2b323b", axis: "6e7681", ground: "14181d")
        return shared + lightInk + series(light) + "@media (prefers-color-scheme:dark){\n" + darkInk + series(dark)
            + "}\n@media print{\n" + lightInk + series(light) + "}\n"
    }()

    /// The class that gives an element the colour of the n-th series.
    static func series(_ index: Int) -> String { "s\(index % light.count)" }

    /// The dash pattern of the n-th series, empty for a whole line.
    static func dash(_ index: Int) -> String { index < 4 ? "" : dashes[(index - 4) % dashes.count] }

    /// Path data of a disc around a point.
    static func dot(x: Double, y: Double, radius: Double) -> String {
        let r = NumberText.coordinate(radius)
        let left = "\(NumberText.coordinate(x - radius)) \(NumberText.coordinate(y))"
        let right = "\(NumberText.coordinate(x + radius)) \(NumberText.coordinate(y))"
        return "M\(left)A\(r) \(r) 0 1 0 \(right)A\(r) \(r) 0 1 0 \(left)Z"
    }

    private static func series(_ colors: [String]) -> String {
        colors.enumerated().map { ".plot .s\($0.offset){color:#\($0.element)}\n" }.joined()
    }

    private static func ink(text: String, muted: String, grid: String, axis: String, ground: String) -> String {
        """
        .plot text{fill:#\(text)}
        .plot .mu{fill:#\(muted)}
        .plot .gr{stroke:#\(grid)}
        .plot .ax,.plot .nd{stroke:#\(axis)}
        .plot .mk,.plot .la{stroke:#\(ground)}
        .plot .bg{fill:#\(ground)}
        .plot .tr{fill:#\(grid)}

        """
    }
}

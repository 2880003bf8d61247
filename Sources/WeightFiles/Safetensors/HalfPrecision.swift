/// The 16-bit floating-point formats. Widening is exact for every bit pattern, NaN payloads included; narrowing rounds
/// to nearest, half to even, what is too large to infinity, and gives back what was widened.
package enum HalfPrecision {
    /// IEEE 754 binary16.
    package static func float(fromFloat16 bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            // Zero and subnormals: the fraction counts steps of 2⁻²⁴, all of which a Float holds.
            let magnitude = Float(fraction) * 0x1p-24
            return Float(bitPattern: sign | magnitude.bitPattern)
        case 0x1F:
            return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default:
            return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// bfloat16: the upper half of a Float.
    package static func float(fromBFloat16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// The bits of the IEEE 754 binary16 nearest to `value`.
    package static func float16(_ value: Float) -> UInt16 {
        let sign = UInt16(value.bitPattern >> 16 & 0x8000)
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        switch magnitude {
        case 0x7F80_0001...:
            let payload = UInt16(magnitude >> 13 & 0x3FF)
            return sign | 0x7C00 | (payload == 0 ? 0x200 : payload)
        case 0x477F_F000...:
            // From the midpoint of 65504 and 65536 on.
            return sign | 0x7C00
        case 0x3880_0000...:
            let rounded = magnitude + 0xFFF + (magnitude >> 13 & 1)
            return sign | UInt16((rounded - 0x3800_0000) >> 13)
        default:
            // Below 2⁻¹⁴ there are steps of 2⁻²⁴; the scaling is exact.
            let steps = Float(bitPattern: magnitude) * 0x1p24
            return sign | UInt16(steps.rounded(.toNearestOrEven))
        }
    }

    /// The bits of the bfloat16 nearest to `value`.
    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        guard !value.isNaN else {
            let upper = UInt16(bits >> 16)
            return upper & 0x7F == 0 ? upper | 0x40 : upper
        }
        return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}

"""Rule packs (规则包), the formulas they may use, and the rulings that quote them. Pure."""

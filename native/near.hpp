// Approximations of all items, packed for the product; kernel.hpp says what is known of each.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel.hpp"
#include "rows.hpp"

namespace isthmus {

class Team;

class Near {
  public:
    template <class T>
    Near(const Rows<T>& rows, const std::vector<double>& center, const Tile& tile, const Exact& exact, bool bytes,
         Team& team);

    // The units of the panel from this depth on: [depth][column][unit].
    const uint32_t* panel(int64_t panel, int64_t from) const {
        return units_.get() + (panel * depth_ + from) * columns_;
    }
    int64_t panels() const { return panels_; }
    int64_t depth() const { return depth_; }  // in units

    Side side(int64_t panel, const float* cut) const {
        const int64_t i = panel * columns_;
        return {scale_.data() + i, error_.data() + i, half_.data() + i, cut, offset_.data() + i, panel_reach_[panel]};
    }

    // Items as rows of groups, gathered from the panels: [group][depth][row].
    struct Groups {
        std::vector<uint32_t> units;
        std::vector<float> scale, error, half, reach;
        std::vector<int32_t> offset;
        int64_t count;
        Side side(int64_t group, int rows, const float* cut) const {
            const int64_t i = group * rows;
            return {scale.data() + i, error.data() + i, half.data() + i, cut, offset.data() + i, reach[group]};
        }
    };
    Groups groups(const std::vector<int64_t>& items, int rows) const;

  private:
    bool bytes_;
    int64_t columns_, panels_, depth_;
    std::unique_ptr<uint32_t[]> units_;
    std::vector<float> scale_, error_, half_, reach_, panel_reach_;
    std::vector<int32_t> offset_;
};

}  // namespace isthmus

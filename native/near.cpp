#include "near.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "team.hpp"

namespace isthmus {
namespace {

constexpr double kRoundoff = 1.0 / (1 << 24);         // of float32
constexpr double kExactRoundoff = kRoundoff / (1 << 26);  // of float64, four times over
constexpr double kUp = 1 + 4 * kRoundoff;             // makes a number stay above itself when it becomes a float32

}  // namespace

template <class T>
Near::Near(const Rows<T>& rows, const std::vector<double>& center, const Tile& tile, const Exact& exact, bool bytes,
           Team& team)
    : bytes_(bytes), columns_(tile.columns), panels_((rows.size() + columns_ - 1) / columns_) {
    const int64_t n = rows.size(), d = static_cast<int64_t>(center.size()), padded = panels_ * columns_;
    depth_ = bytes ? (d + 3) / 4 : d;
    units_.reset(new uint32_t[padded * depth_]);  // not cleared, but for the last panel, which items may not fill
    std::fill(units_.get() + (padded - columns_) * depth_, units_.get() + padded * depth_, 0);
    for (auto* numbers : {&scale_, &error_, &reach_}) numbers->resize(padded);
    half_.resize(padded, INFINITY);  // behind the last item: farther than anything
    offset_.resize(padded);
    panel_reach_.resize(panels_);
    double center_length = 0;
    for (double x : center) center_length += x * x;
    center_length = std::sqrt(center_length);
    // Each of the d products and sums in float32 may be off by one roundoff of |y_i||y_j|; half of that is counted to i.
    const double product_error = bytes ? 0 : 1.1 * kRoundoff * (d / 2 + 16);

    team.share(panels_, 4, [&](int64_t begin, int64_t end) {
        std::vector<double> y(d);
        std::vector<uint32_t> q(depth_);
        std::vector<int8_t> whole(bytes ? 4 * depth_ : 0);
        std::vector<float> rounded(bytes ? 0 : depth_);
        for (int64_t i = begin * columns_; i < std::min(end * columns_, n); ++i) {
            const double peak = rows.move(i, center.data(), y.data());
            Sums sums;
            float scale = 1;
            if (bytes) {
                scale = static_cast<float>(peak / 127 * kUp);
                const bool vanishing = scale < 1e-30f;  // then all of it counts as error
                sums = exact.to_bytes(y.data(), vanishing ? 1.0 : scale, d, whole.data());
                std::memcpy(q.data(), whole.data(), 4 * depth_);
                if (vanishing) scale = 0;
            } else {
                sums = exact.to_floats(y.data(), d, rounded.data());
                std::memcpy(q.data(), rounded.data(), 4 * depth_);
            }
            const double length = std::sqrt(sums.square), residue = scale == 0 ? length : std::sqrt(sums.residue);
            const double error = residue + kExactRoundoff * (length + center_length) + product_error * length;
            scale_[i] = scale;
            error_[i] = static_cast<float>(error * kUp);
            reach_[i] = static_cast<float>((length + error) * kUp);
            half_[i] = static_cast<float>(sums.square / 2 * (1 - 64 * kRoundoff)) - 1e-36f;
            offset_[i] = static_cast<int32_t>(128 * sums.q);
            float& reach = panel_reach_[i / columns_];
            reach = std::max(reach, reach_[i]);
            uint32_t* to = units_.get() + i / columns_ * depth_ * columns_ + i % columns_;
            for (int64_t p = 0; p < depth_; ++p) to[p * columns_] = bytes ? q[p] ^ 0x80808080u : q[p];
        }
    });
}

Near::Groups Near::groups(const std::vector<int64_t>& items, int rows) const {
    const int64_t count = (static_cast<int64_t>(items.size()) + rows - 1) / rows;
    Groups to;
    to.count = count;
    to.units.resize(count * depth_ * rows);
    for (auto* numbers : {&to.scale, &to.error}) numbers->resize(count * rows);
    to.half.resize(count * rows, INFINITY);
    to.reach.resize(count);
    to.offset.resize(count * rows);
    for (int64_t r = 0; r < static_cast<int64_t>(items.size()); ++r) {
        const int64_t i = items[r];
        const uint32_t* from = panel(i / columns_, 0) + i % columns_;
        uint32_t* units = to.units.data() + r / rows * depth_ * rows + r % rows;
        for (int64_t p = 0; p < depth_; ++p) units[p * rows] = bytes_ ? from[p * columns_] ^ 0x80808080u : from[p * columns_];
        to.scale[r] = scale_[i], to.error[r] = error_[i], to.half[r] = half_[i], to.offset[r] = offset_[i];
        to.reach[r / rows] = std::max(to.reach[r / rows], reach_[i]);
    }
    return to;
}

template Near::Near(const Rows<float>&, const std::vector<double>&, const Tile&, const Exact&, bool, Team&);
template Near::Near(const Rows<double>&, const std::vector<double>&, const Tile&, const Exact&, bool, Team&);

}  // namespace isthmus

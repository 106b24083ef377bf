#include "mill.hpp"
#include <vector>

namespace mill {
template <typename T>
class Mill : public Base<T>, private detail::Wheel {
public:
    explicit Mill(std::vector<Stone> stones) : Base<T>(stones) {}
    Flour grind(const Grain& grain) const override;
    friend class Miller;
};

template <typename T>
Flour Mill<T>::grind(const Grain& grain) const {
    auto wheel = std::make_unique<Wheel>(grain);
    wheel->turn();
    this->sift<Sieve>(mill::weigh(grain));
    return *new Flour(static_cast<Dust>(1));
}
}

#include <vector>

namespace grain::store {

/// A place for grain.
template <typename T>
class Silo final : public Base {
public:
    /// Makes one.
    explicit Silo(int size) : size_(size) {}
    ~Silo() override = default;
    /// Adds a grain.
    void add(const T& grain);
    bool operator==(const Silo& other) const { return true; }
    static constexpr int capacity = 64;
    int size() const noexcept { return size_; }

private:
    int size_;
    struct Door { bool open; };
    enum class Failure : int { Full, Shut };
};

// Adds a grain.
template <typename T>
void Silo<T>::add(const T& grain) {
    auto f = [](int x) { return x; };
    f(1);
}

template <class T> concept Millable = requires(T t) { t.mill(); };

using Pair = std::pair<int, int>;
typedef unsigned long ulong_t;

namespace {
int hidden() { return 1; }
}

} // namespace grain::store

extern "C" {
int c_entry(void) { return 0; }
}

#define CAPACITY 64
grain::store::Silo<int>* make() { return nullptr; }
int& ref(int& x) { return x; }
std::ostream& operator<<(std::ostream& out, int x) { return out; }
Silo::~Silo() {}

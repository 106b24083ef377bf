#include "mill.hpp"
#include <memory>
#define CHECK(x) (x)
namespace base {
struct Part { int size; virtual int weigh() const { return size; } };     // @@ size=base::Part::size
enum class Grade { Coarse, Fine };
enum Mode { kSlow, kFast };
int turn(int by);
}
namespace mill {
using base::Part;                                  // @@ Part=base::Part base=base
using Parts = std::vector<Part>;                   // @@ vector=none
class Wheel : public base::Part {                  // @@ Part=base::Part base=base
public:
    explicit Wheel(int teeth);
    Wheel* next() const { return next_; }          // @@ next_=mill::Wheel::next_ Wheel=mill::Wheel
    int weigh() const override { return base::Part::weigh() + teeth_; }  // @@ weigh=base::Part::weigh teeth_=mill::Wheel::teeth_
    static Wheel Make(int teeth) { return Wheel(teeth); } // @@ teeth=local
    std::unique_ptr<Wheel> spare_;                 // @@ unique_ptr=none
    std::vector<Wheel> others;
private:
    int teeth_;
    Wheel* next_;                                  // @@ Wheel=mill::Wheel
    static const int kMax = 3;
};
static int count(const Wheel& wheel) { return wheel.next()->next_->size; } // @@ next=mill::Wheel::next next_=mill::Wheel::next_ size=base::Part::size wheel=local
Wheel::Wheel(int teeth) : teeth_(teeth), next_(nullptr) {} // @@ teeth_=mill::Wheel::teeth_ next_=mill::Wheel::next_ teeth=local
template <typename T>
class Holder {
public:
    T* held;                                       // @@ T=local
    void put(T value) { held = value; value.turn(); } // @@ held=mill::Holder::held value=local turn=none
    Holder<T>& self() { this->put(*held); return *this; }  // @@ put=mill::Holder::put held=mill::Holder::held
};
int run(Wheel* given, Other& other) {              // @@ Other=none Wheel=mill::Wheel
    Wheel wheel(3);                                // @@ Wheel=mill::Wheel
    auto made = Wheel::Make(base::kFast);          // @@ Make=mill::Wheel::Make kFast=base::Mode::kFast
    made.next()->weigh();                          // @@ made=local next=mill::Wheel::next weigh=mill::Wheel::weigh
    auto owned = std::make_unique<Wheel>(4);       // @@ make_unique=none
    owned->next();                                 // @@ next=mill::Wheel::next
    wheel.spare_->weigh();                         // @@ spare_=mill::Wheel::spare_
    for (const auto& each : wheel.others) each.next(); // @@ others=mill::Wheel::others each=local
    other.next();                                  // @@ next=none other=local
    auto f = [&](const Part& part) { return part.weigh() + count(*given); }; // @@ weigh=base::Part::weigh count=mill::count given=local
    Grade g = base::Grade::Fine;                   // @@ Fine=base::Grade::Fine
    if (auto* cast = dynamic_cast<Wheel*>(given)) cast->weigh(); // @@ weigh=mill::Wheel::weigh
    Holder<Wheel> holder;                          // @@ Holder=mill::Holder
    holder.self().put(wheel);                      // @@ self=mill::Holder::self put=mill::Holder::put
    (new Wheel(1))->next();                        // @@ next=mill::Wheel::next Wheel=mill::Wheel
    return base::turn(CHECK(Wheel::kMax));         // @@ turn=base::turn CHECK=CHECK kMax=mill::Wheel::kMax
}
}

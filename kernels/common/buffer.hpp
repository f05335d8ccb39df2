#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace adaptive::kernels {

/// `size` zeroed elements that start on a cache line, so that no vector load crosses a cache line.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : data_(static_cast<T*>(::operator new (size * sizeof(T) + alignment, std::align_val_t{alignment}))),
        size_(size) {
    std::uninitialized_value_construct_n(data_.get(), size);
  }

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }

 private:
  static constexpr std::size_t alignment = 64;
  struct Free {
    void operator()(T* data) const noexcept { ::operator delete (data, std::align_val_t{alignment}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace adaptive::kernels

#include "program/specification.hpp"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "names.hpp"

namespace adaptive::python {
namespace {

using ParameterValues = std::map<std::string, std::variant<bool, std::int64_t, double, std::string>>;

Parameters parameters_of(ParameterValues values) {
  Parameters parameters;
  for (auto& [name, value] : values)
    parameters.emplace(name, std::visit([](auto& v) { return Parameter(std::move(v)); }, value));
  return parameters;
}

nb::dict dict_of(const Parameters& parameters) {
  nb::dict dict;
  for (const auto& [name, parameter] : parameters)
    std::visit([&, &key = name](const auto& v) { dict[key.c_str()] = v; }, parameter.value());
  return dict;
}

nb::tuple tuple_of(const Key& key) {
  nb::list values;
  for (const std::int64_t value : key.values()) values.append(value);
  return nb::tuple(values);
}

bool is_number_of_bytes(nb::handle integer) noexcept {
  const unsigned long long bytes = PyLong_AsUnsignedLongLong(integer.ptr());
  if (bytes != static_cast<unsigned long long>(-1) || PyErr_Occurred() == nullptr) return true;
  PyErr_Clear();
  return false;
}

// `value` as it is where it is a T; else T(value) for a string and T(**value) for a mapping.
template <class T>
nb::object made_from(nb::handle value, const char* what) {
  if (nb::isinstance<T>(value)) return nb::borrow(value);
  const nb::handle type = nb::type<T>();
  if (nb::isinstance<nb::str>(value)) return type(value);
  if (PyMapping_Check(value.ptr()) == 0)
    throw nb::type_error((std::string(what) + " is a name, a mapping or a " +
                          nb::cast<std::string>(type.attr("__name__")) + ", not " +
                          nb::cast<std::string>(nb::repr(value)))
                             .c_str());
  nb::dict fields;
  fields.update(nb::borrow<nb::mapping>(value));
  return type(**fields);
}

// Calls a function of the program from the library, which may hold one of an operation's locks: every binding
// that waits for such a lock has let go of the GIL, so that this cannot wait for ever.
template <class F>
auto with_gil(const std::shared_ptr<Held>& held, decltype(std::declval<F>()(nb::object())) otherwise,
              F&& call) {
  const nb::gil_scoped_acquire gil;
  const nb::handle function = gil.is_valid() ? held->get() : nb::handle();
  if (!function.is_valid()) return otherwise;
  try {
    return call(nb::borrow(function));
  } catch (nb::python_error& error) {
    report_unraisable(error, function);
  } catch (const nb::cast_error&) {
    PyErr_SetString(PyExc_TypeError, "the function returned a value of another type");
    PyErr_WriteUnraisable(function.ptr());
  }
  return otherwise;
}

}  // namespace

Variant variant_of(nb::handle value, Callables& callables) {
  const nb::object object = made_from<PythonVariant>(value, "a variant");
  const auto& made = nb::cast<const PythonVariant&>(object);
  Variant variant = made.variant;
  if (!made.supports.is_none())
    variant.supports = [held = callables.add(made.supports)](const Key& key) {
      return with_gil(held, false, [&](const nb::object& function) {
        const int truth = PyObject_IsTrue(function(*tuple_of(key)).ptr());
        if (truth < 0) nb::raise_python_error();
        return truth == 1;
      });
    };
  if (PyLong_Check(made.memory.ptr()) != 0)
    variant.memory = [bytes = nb::cast<std::uint64_t>(made.memory)](const Key&) { return bytes; };
  else if (!made.memory.is_none())
    variant.memory = [held = callables.add(made.memory)](const Key& key) {
      return with_gil(held, std::uint64_t{0}, [&](const nb::object& function) {
        return nb::cast<std::uint64_t>(function(*tuple_of(key)));
      });
    };
  return variant;
}

OperationSpec specification_of(std::string name, nb::iterable dimensions, nb::iterable variants,
                               nb::object candidates, nb::object parse, nb::object default_variant,
                               Callables& callables) {
  OperationSpec spec;
  spec.name = std::move(name);
  for (const nb::handle value : dimensions)
    spec.dimensions.push_back(nb::cast<const Dimension&>(made_from<Dimension>(value, "a dimension")));
  for (const nb::handle value : variants) spec.variants.push_back(variant_of(value, callables));
  if (!candidates.is_none())
    spec.candidates = [held = callables.add(std::move(candidates))](const Key& key) {
      return with_gil(held, std::vector<std::uint32_t>(), [&](const nb::object& function) {
        return nb::cast<std::vector<std::uint32_t>>(function(*tuple_of(key)));
      });
    };
  if (!default_variant.is_none())
    spec.default_variant = [held = callables.add(std::move(default_variant))](const Key& key) {
      return with_gil(held, std::uint32_t{0}, [&](const nb::object& function) {
        return nb::cast<std::uint32_t>(function(*tuple_of(key)));
      });
    };
  if (!parse.is_none())
    spec.parse = [held = callables.add(std::move(parse)), &callables](const std::string& variant,
                                                                      const Parameters& parameters) {
      return with_gil(held, std::optional<Variant>(),
                      [&](const nb::object& function) -> std::optional<Variant> {
                        const nb::object made = function(variant, dict_of(parameters));
                        if (made.is_none()) return std::nullopt;
                        return variant_of(made, callables);
                      });
    };
  return spec;
}

void bind_specification(nb::module_& module) {
  nb::class_<Dimension>(
      module, "Dimension",
      "One named value of a key.\n\n"
      "kind: 'size' (two values are as far apart as their quotient says), 'linear' (as their difference "
      "says),\n"
      "'label' (equal or not comparable) or 'label_set' (a set of labels, at most 63). Labels alone make it "
      "a\n"
      "'label'.\n"
      "weight: factor of this dimension's share of a distance between keys.\n"
      "rounding: 'none', or 'power_of_two' where keys up to the next power of two share one entry.")
      .def(
          "__init__",
          [](Dimension* self, std::string name, std::optional<std::string> kind,
             std::vector<std::string> labels, double weight, std::string_view rounding) {
            const char* usual = labels.empty() ? "size" : "label";
            new (self) Dimension{.name = std::move(name),
                                 .kind = value_of(kind_names, kind ? *kind : usual, "kind"),
                                 .labels = std::move(labels),
                                 .weight = weight,
                                 .rounding = value_of(rounding_names, rounding, "rounding")};
          },
          nb::arg("name"), nb::kw_only(), nb::arg("kind") = nb::none(),
          nb::arg("labels") = std::vector<std::string>(), nb::arg("weight") = 1.0,
          nb::arg("rounding") = "none")
      .def_ro("name", &Dimension::name)
      .def_prop_ro("kind", [](const Dimension& d) { return name_of(kind_names, d.kind); })
      .def_ro("labels", &Dimension::labels)
      .def_ro("weight", &Dimension::weight)
      .def_prop_ro("rounding", [](const Dimension& d) { return name_of(rounding_names, d.rounding); })
      .def("__repr__", [](const Dimension& d) {
        return "Dimension('" + d.name + "', kind='" + name_of(kind_names, d.kind) + "')";
      });

  nb::class_<PythonVariant>(
      module, "Variant",
      "One implementation of an operation.\n\n"
      "name: unique in its operation; tables refer to variants by name.\n"
      "parameters: what distinguishes it, for people and for models: tile sizes, stages.\n"
      "numeric_class: variants of one class give the same results bit for bit; a key explores those of its\n"
      "default's class.\n"
      "supports: called once per key with the key's values, integers; whether the variant can run it. An\n"
      "exception counts as False and goes to sys.unraisablehook. None: it runs every key.\n"
      "memory: bytes that it needs besides the operands: an integer, or a function of the key's values that "
      "is\n"
      "called where `supports` is; an exception counts as 0. A variant that needs more than the selector's\n"
      "`memory_limit` does not run.")
      .def(
          "__init__",
          [](PythonVariant* self, std::string name, ParameterValues parameters, std::string numeric_class,
             nb::object supports, nb::object memory) {
            if (!supports.is_none() && PyCallable_Check(supports.ptr()) == 0)
              throw nb::type_error("supports is a function of the key's values, or None");
            if (PyLong_Check(memory.ptr()) != 0 && !is_number_of_bytes(memory))
              throw nb::value_error("memory is a number of bytes, from 0 to 2^64 - 1");
            if (PyLong_Check(memory.ptr()) == 0 && !memory.is_none() && PyCallable_Check(memory.ptr()) == 0)
              throw nb::type_error("memory is a number of bytes, a function of the key's values, or None");
            new (self) PythonVariant{{.name = std::move(name),
                                      .parameters = parameters_of(std::move(parameters)),
                                      .numeric_class = std::move(numeric_class),
                                      .supports = {}},
                                     std::move(supports),
                                     std::move(memory)};
          },
          nb::arg("name"), nb::kw_only(), nb::arg("parameters") = ParameterValues(),
          nb::arg("numeric_class") = "", nb::arg("supports") = nb::none(), nb::arg("memory") = nb::none(),
          nb::sig("def __init__(self, name: str, *, parameters: Mapping[str, bool | int | float | str] = {}, "
                  "numeric_class: str = '', supports: Callable[..., bool] | None = None, "
                  "memory: int | Callable[..., int] | None = None) -> None"))
      .def_prop_ro("name", [](const PythonVariant& v) { return v.variant.name; })
      .def_prop_ro(
          "parameters", [](const PythonVariant& v) { return dict_of(v.variant.parameters); },
          nb::sig("def parameters(self) -> dict[str, bool | int | float | str]"))
      .def_prop_ro("numeric_class", [](const PythonVariant& v) { return v.variant.numeric_class; })
      .def("__repr__", [](const PythonVariant& v) { return "Variant('" + v.variant.name + "')"; });
}

}  // namespace adaptive::python

// Fills in where this telephone is, when its owner asks for it. Without this script the place is typed.
"use strict";

const button = document.getElementById("find");
const told = document.getElementById("told");
const field = (name) => document.getElementById(name);

function found(position) {
  const { latitude, longitude, accuracy } = position.coords;
  field("lat").value = latitude.toFixed(6);
  field("lon").value = longitude.toFixed(6);
  field("accuracy").value = String(Math.min(Math.ceil(accuracy), 100000));
  told.textContent = button.dataset.found.replace("{metres}", field("accuracy").value);
  button.disabled = false;
}

function notFound() {
  told.textContent = button.dataset.notFound;
  button.disabled = false;
  field("words").focus();
}

if (button && "geolocation" in navigator) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    told.textContent = button.dataset.looking;
    const how = { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 };
    navigator.geolocation.getCurrentPosition(found, notFound, how);
  });
}
